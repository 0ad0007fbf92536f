//! A version 2 file being changed. Nothing is written here: a draft ends as a new [`File`] of the
//! next generation, or is dropped.

use aileron_contract::{Error, Result as Checked};
use zeroize::Zeroizing;

use super::{File, Header, Member, NewPassphrase, VOLATILE};
use crate::{
    envelope,
    file::{Entries, FileError, Metadata, Sealed, UnlockError, VaultFile, v1},
    keys::Keys,
    recovery_key::RecoveryKey,
};

#[derive(Debug)]
pub(crate) struct Draft {
    header: Header,
    entries: Entries,
}

impl Draft {
    /// The next generation of `file`.
    pub(crate) fn of(file: &File) -> Self {
        let mut header = file.header.clone();
        header.generation = header.generation.saturating_add(1);
        Self { header, entries: file.entries.clone() }
    }

    /// A new, empty vault with its first key.
    pub(crate) fn create(passphrase: &NewPassphrase) -> Checked<(Self, Keys)> {
        let root = Zeroizing::new(envelope::random()?);
        Self::begin(passphrase, &root)
    }

    /// Version 1 in the clothes of version 2, under a new vault key. Every entry must open: one
    /// that does not would be lost in silence.
    pub(crate) fn migrate(
        file: &v1::File,
        old: &Keys,
        passphrase: &NewPassphrase,
    ) -> Result<(Self, Keys), UnlockError> {
        let (mut draft, keys) = Self::begin(passphrase, old.pin_root())?;
        for (path, Sealed { envelope: _, metadata }) in file.entries() {
            let value = file.open(old, path)?;
            draft.put(&keys, path, metadata.clone(), &value)?;
        }
        Ok((draft, keys))
    }

    /// Replaces the passphrase; a recovery key stays.
    pub(crate) fn set_passphrase(&mut self, keys: &Keys, new: &NewPassphrase) -> Checked<()> {
        let Header { vault, key_version, .. } = self.header;
        let member = Member::wrap(vault, key_version, new, keys.vault())?;
        self.header.members.retain(|member| !member.is_passphrase());
        self.header.members.insert(0, member);
        Ok(())
    }

    /// Replaces the recovery key, or adds the first.
    pub(crate) fn set_recovery_key(&mut self, keys: &Keys, new: &RecoveryKey) -> Checked<()> {
        let Header { vault, key_version, .. } = self.header;
        let member = Member::wrap_for_recovery(vault, key_version, new, keys.vault())?;
        self.header.members.retain(Member::is_passphrase);
        self.header.members.push(member);
        Ok(())
    }

    /// Was there one?
    pub(crate) fn remove_recovery_key(&mut self) -> bool {
        let before = self.header.members.len();
        self.header.members.retain(Member::is_passphrase);
        self.header.members.len() < before
    }

    /// Seals everything again under a new vault key. A recovery key goes with the old one: it is
    /// on paper only, and whoever has read the old vault key must not find the way to the new one.
    pub(crate) fn rotate(
        &mut self,
        file: &File,
        old: &Keys,
        new: &NewPassphrase,
    ) -> Result<Keys, UnlockError> {
        self.header.key_version = self.header.key_version.saturating_add(1);
        let keys = Keys::new(&Zeroizing::new(envelope::random()?), old.pin_root());
        self.seal_pin_root(&keys)?;
        self.header.members.clear();
        self.set_passphrase(&keys, new)?;
        for (path, Sealed { envelope: _, metadata }) in &file.entries {
            let value = file.open(old, path)?;
            self.put(&keys, path, metadata.clone(), &value)?;
        }
        Ok(keys)
    }

    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
    }

    pub(crate) fn put(
        &mut self,
        keys: &Keys,
        path: &str,
        metadata: Metadata,
        value: &[u8],
    ) -> Checked<()> {
        let key = self.header.key(keys, "entries")?;
        let associated = self.header.associated(path, &metadata)?;
        let envelope = envelope::seal(&key, &associated, value)?;
        self.entries.insert(path.to_owned(), Sealed { envelope, metadata });
        Ok(())
    }

    /// Was there one?
    pub(crate) fn remove(&mut self, path: &str) -> bool {
        self.entries.remove(path).is_some()
    }

    /// An entry's value.
    pub(crate) fn open(&self, keys: &Keys, path: &str) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
        let entry = self.entries.get(path).ok_or(FileError::Tampered("an entry is gone"))?;
        let key = self.header.key(keys, "entries")?;
        let associated = self.header.associated(path, &entry.metadata)?;
        envelope::open(&key, &associated, &entry.envelope)
            .ok_or(UnlockError::File(FileError::Tampered("an entry does not open")))
    }

    /// Seals an entry's value again under other labels.
    pub(crate) fn relabel(
        &mut self,
        keys: &Keys,
        path: &str,
        change: impl FnOnce(&mut Metadata),
    ) -> Result<(), UnlockError> {
        let value = self.open(keys, path)?;
        let gone = FileError::Tampered("an entry is gone");
        let mut metadata = self.entries.get(path).ok_or(gone)?.metadata.clone();
        change(&mut metadata);
        Ok(self.put(keys, path, metadata, &value)?)
    }

    /// Sets a label that seals do not bind one by one.
    pub(crate) fn touch(&mut self, path: &str, label: &str, value: String) {
        if let Some(entry) = self.entries.get_mut(path).filter(|_| VOLATILE.contains(&label)) {
            entry.metadata.labels.insert(label.to_owned(), value);
        }
    }

    /// The finished file.
    pub(crate) fn finish(self, keys: &Keys) -> Checked<File> {
        let Self { header, entries } = self;
        let mut file = File { header, seal: [0; 32], entries };
        file.seal = file.computed_seal(keys)?;
        // What cannot be read back must not be written.
        match VaultFile::parse(&file.render()?)? {
            VaultFile::V2(read) if read == file => Ok(file),
            _ => Err(Error::internal("a vault file does not read back as it was written")),
        }
    }

    fn begin(passphrase: &NewPassphrase, pin_root: &[u8; 32]) -> Checked<(Self, Keys)> {
        let keys = Keys::new(&Zeroizing::new(envelope::random()?), pin_root);
        let vault = envelope::random()?;
        let members = vec![Member::wrap(vault, 1, passphrase, keys.vault())?];
        let header = Header { vault, generation: 1, key_version: 1, pin_root: Vec::new(), members };
        let mut draft = Self { header, entries: Entries::new() };
        draft.seal_pin_root(&keys)?;
        Ok((draft, keys))
    }

    fn seal_pin_root(&mut self, keys: &Keys) -> Checked<()> {
        let key = self.header.key(keys, "pin-root")?;
        let associated = self.header.pin_associated()?;
        self.header.pin_root = envelope::seal(&key, &associated, keys.pin_root())?;
        Ok(())
    }
}
