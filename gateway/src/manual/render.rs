//! One page as HTML: small, without scripts, readable on a phone and by a screen reader.

use pulldown_cmark::{Event, Options, Parser, Tag, html};

/// The page `name` among `pages`, with the navigation to all of them.
pub(super) fn page(name: &str, markdown: &str, pages: &[(&str, &str)]) -> String {
    framed(name, title(markdown), &text(name, markdown), pages)
}

/// What went wrong. `message` is text, whatever it holds.
pub(super) fn refusal(code: &str, message: &str, pages: &[(&str, &str)]) -> String {
    let (shown, message) = (escaped(code), escaped(message));
    let text = format!(
        "<h1>That did not work</h1>\n<p>{message}</p>\n<p>Error code: <code>{shown}</code>. \
         <a href=\"/docs/errors/{shown}\">What it means, and what to do</a>.</p>\n\
         <p>You can close this page.</p>\n"
    );
    framed("", code, &text, pages)
}

/// `text` is HTML, within the frame of every page.
fn framed(name: &str, title: &str, text: &str, pages: &[(&str, &str)]) -> String {
    let title = escaped(title);
    let guides = links(name, pages, |page| !page.contains('/'));
    let errors = links(name, pages, |page| page.starts_with("errors/"));
    let failures = links(name, pages, |page| page.starts_with("failures/"));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title} · Aileron</title>\n\
         <link rel=\"stylesheet\" href=\"/docs/style.css\">\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#text\">Skip to the text</a>\n\
         <nav aria-label=\"Manual\">\n<ul>\n{guides}</ul>\n\
         <details>\n<summary>Error codes</summary>\n<ul>\n{errors}</ul>\n</details>\n\
         <details>\n<summary>Failures of runs</summary>\n<ul>\n{failures}</ul>\n</details>\n</nav>\n\
         <main id=\"text\" tabindex=\"-1\">\n{text}</main>\n</body>\n</html>\n"
    )
}

/// The text of the first heading, which every page begins with.
fn title(markdown: &str) -> &str {
    let first = markdown.lines().next().unwrap_or_default();
    first.trim_start_matches('#').trim()
}

fn links(here: &str, pages: &[(&str, &str)], wanted: impl Fn(&str) -> bool) -> String {
    let link = |(name, markdown): &(&str, &str)| {
        let current = if *name == here { " aria-current=\"page\"" } else { "" };
        format!("<li><a href=\"{}\"{current}>{}</a></li>\n", at(name), escaped(title(markdown)))
    };
    pages.iter().filter(|(name, _)| wanted(name)).map(link).collect()
}

fn text(name: &str, markdown: &str) -> String {
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = address(name, &dest_url).into();
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        // HTML in Markdown is shown, not obeyed.
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        other => other,
    });
    let mut text = String::new();
    html::push_html(&mut text, events);
    text
}

/// Where a link on the page `name` leads: `../approvals.md` on `errors/busy` to `/docs/approvals`.
fn address(name: &str, link: &str) -> String {
    let Some(target) = link.strip_suffix(".md").filter(|target| !target.contains(':')) else {
        return link.to_owned();
    };
    let mut path: Vec<&str> = name.split('/').collect();
    path.pop();
    for segment in target.split('/') {
        if segment == ".." {
            path.pop();
        } else {
            path.push(segment);
        }
    }
    at(&path.join("/"))
}

fn at(name: &str) -> String {
    if name == "index" { "/docs".to_owned() } else { format!("/docs/{name}") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_in_markdown_is_shown_and_not_obeyed() {
        let shown = text("index", "# a\n\n<script>x</script>\n\nb <img src=x onerror=y> c\n");
        assert!(!shown.contains("<script") && !shown.contains("<img"), "{shown}");
        assert!(shown.contains("&lt;script&gt;") && shown.contains("&lt;img"), "{shown}");
        assert!(page("index", "# <b>&", &[]).contains("<title>&lt;b&gt;&amp; · Aileron</title>"));
    }

    #[test]
    fn a_link_leads_where_it_leads_among_the_files() {
        for (page, link, leads) in [
            ("index", "approvals.md", "/docs/approvals"),
            ("index", "errors/busy.md", "/docs/errors/busy"),
            ("errors/busy", "not_found.md", "/docs/errors/not_found"),
            ("errors/busy", "../failures/network_error.md", "/docs/failures/network_error"),
            ("errors/busy", "../index.md", "/docs"),
            ("errors/busy", "/openapi.yaml", "/openapi.yaml"),
            ("index", "https://c2sp.org/x.md", "https://c2sp.org/x.md"),
        ] {
            assert_eq!(address(page, link), leads, "{link} on {page}");
        }
    }
}
