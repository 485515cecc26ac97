package api

import (
	"fmt"
	"time"
)

// Code names a refusal for programs. The list is closed; clients treat one
// they do not know as permanent when its HTTP status is below 500.
type Code string

// The codes.
const (
	CodeBadRequest     Code = "bad-request"
	CodeNotFound       Code = "not-found"
	CodeUnauthorized   Code = "unauthorized"    // no bearer token, or none that is valid any more: log in again
	CodeForbidden      Code = "forbidden"       // logged in, but not allowed
	CodeUnknownKey     Code = "unknown-key"     // the key is not enrolled, or was revoked
	CodeBadSignature   Code = "bad-signature"   // the login or enrolment is not signed by the key
	CodeBadNonce       Code = "bad-nonce"       // expired, used, or not ours: ask for a new one
	CodeTokenUnknown   Code = "token-unknown"   // no such enrolment token here
	CodeTokenUsed      Code = "token-used"      // by another key
	CodeTokenExpired   Code = "token-expired"   //
	CodeNameTaken      Code = "name-taken"      // a system of that name is enrolled
	CodeTooLarge       Code = "too-large"       // above the limit for one bundle
	CodeQuota          Code = "quota"           // above the limit of what a system may have here
	CodeBusy           Code = "busy"            // too many uploads at once: try later
	CodeNoSpace        Code = "no-space"        // the relay's disk is full: try later
	CodeHashMismatch   Code = "hash-mismatch"   // the bytes are not what the metadata says
	CodeUploadExists   Code = "upload-exists"   // an upload of these bytes is under way: resume it
	CodeBundleExists   Code = "bundle-exists"   // these bytes are here already: fetch the receipt
	CodeUnavailable    Code = "unavailable"     // the relay cannot do it now: try later
	CodeInternal       Code = "internal"        //
	CodeOffsetMismatch Code = "offset-mismatch" // ask for the offset again
	CodeNotOpen        Code = "not-open"        // the system has no open session
	CodeTicket         Code = "ticket"          // no such ticket for this system: used, too old, or somebody else's
	CodeNoAnswer       Code = "no-answer"       // the system did not dial back in time
	CodeSealed         Code = "sealed"          // remote access to this system was disabled for good
	CodeSegmentExists  Code = "segment-exists"  // another segment of that number is here; nothing is overwritten
)

// Error is the body of every answer that is not a success.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	ID      string `json:"id,omitempty"` // with upload-exists and bundle-exists
	Status  int    `json:"-"`

	RetryAfter time.Duration `json:"-"` // the header of that name; 0: none
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an error with an HTTP status.
func Errorf(status int, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

// Temporary reports whether the same request may succeed later.
func (e *Error) Temporary() bool {
	switch e.Code {
	case CodeBusy, CodeNoAnswer, CodeNoSpace, CodeUnavailable, CodeInternal, CodeUnauthorized, CodeBadNonce, CodeOffsetMismatch:
		return true
	case CodeHashMismatch:
		return false
	}
	return e.Status >= 500 || e.Status == 429 || e.Status == 408
}
