// A small connector in Go, the language of the published ones: it proves that a guest built by
// another compiler, with a runtime of its own, runs on the same interface.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"unsafe"
)

//go:wasmimport aileron_host log
func hostLog(levelPtr, levelLen, messagePtr, messageLen uint32)

//go:wasmimport aileron_host http_request
func hostRequest(ptr, length uint32) int32

//go:wasmimport aileron_host http_response_size
func hostResponseSize() int32

//go:wasmimport aileron_host http_response_status
func hostResponseStatus() int32

//go:wasmimport aileron_host http_response_read
func hostResponseRead(ptr, length uint32) int32

type failure struct {
	Class   string `json:"class"`
	Message string `json:"message"`
}

func (f *failure) Error() string { return f.Message }

type request struct {
	Method     string `json:"method"`
	URL        string `json:"url"`
	Credential string `json:"credential,omitempty"`
}

func main() {
	output, err := run()
	answer := map[string]any{"output": output}
	if err != nil {
		answer = map[string]any{"error": err}
	}
	if json.NewEncoder(os.Stdout).Encode(answer) != nil || err != nil {
		os.Exit(1)
	}
}

func run() (map[string]any, *failure) {
	var call struct {
		Op   string `json:"op"`
		Args struct {
			Base string `json:"base"`
		} `json:"args"`
	}
	input, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = json.Unmarshal(input, &call)
	}
	if err != nil {
		return nil, &failure{"bad_input", err.Error()}
	}
	switch call.Op {
	case "list":
		return list(call.Args.Base)
	default:
		return nil, &failure{"unknown_op", fmt.Sprintf("there is no operation %q", call.Op)}
	}
}

func list(base string) (map[string]any, *failure) {
	body, problem := get(request{Method: "GET", URL: base + "/notes", Credential: "api_key"})
	if problem != nil {
		return nil, problem
	}
	var notes any
	if err := json.Unmarshal(body, &notes); err != nil {
		return nil, &failure{"external_api_error", err.Error()}
	}
	log("info", "listed notes")
	return map[string]any{"notes": notes}, nil
}

func get(wanted request) ([]byte, *failure) {
	envelope, err := json.Marshal(wanted)
	if err != nil {
		return nil, &failure{"connector_runtime_error", err.Error()}
	}
	if code := hostRequest(span(envelope)); code != 0 {
		return nil, &failure{"connector_runtime_error", fmt.Sprintf("http_request answered %d", code)}
	}
	body := make([]byte, max(hostResponseSize(), 0))
	if read := hostResponseRead(span(body)); int(read) != len(body) {
		return nil, &failure{"connector_runtime_error", "the response could not be read"}
	}
	if status := hostResponseStatus(); status/100 != 2 {
		return nil, &failure{"external_api_error", fmt.Sprintf("the notes service answered %d", status)}
	}
	return body, nil
}

func log(level, message string) {
	levelPtr, levelLen := span([]byte(level))
	messagePtr, messageLen := span([]byte(message))
	hostLog(levelPtr, levelLen, messagePtr, messageLen)
}

// span is where the bytes lie; empty ones get a valid address as well.
func span(bytes []byte) (uint32, uint32) {
	if len(bytes) == 0 {
		bytes = make([]byte, 0, 1)
	}
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))), uint32(len(bytes))
}
