// Package userrules reads what a customer wants hidden beyond what the
// sanitizer knows.
//
// # Files
//
// The format is the Redactor of troubleshoot.sh, so that files which exist
// keep working, with a few more keys:
//
//	apiVersion: troubleshoot.sh/v1beta2
//	kind: Redactor
//	metadata:
//	  name: acme
//	spec:
//	  redactors:
//	  - name: project names
//	    fileSelector:
//	      files: ["var/log/**", "*.conf"]
//	    removals:
//	      values: ["Project Zephyr"]           # this text, anywhere
//	      regex:
//	      - redactor: '(ticket=)(?P<mask>ACME-\d+)'
//	      - selector: 'BEGIN CUSTOMER'         # a line like this ...
//	        redactor: '(?P<mask>.+)'           # ... hides in the next one
//	      yamlPath: ["customers.*.name"]       # YAML and JSON
//	      keys: ["tenant_ref"]                 # ours: the values of these keys
//	      hosts: ["vault7"]                    # ours: become pseudonyms
//	      domains: ["acme.example"]
//	      users: ["jdoe"]
//
// Every mistake is reported with its line and column, all of one file at once:
// a rule that is silently ignored is a secret that leaves.
//
// # Paths
//
// A yamlPath names a place by keys and indices between dots; * is any of them,
// and \. is a dot in a key. Everything at the place and below is hidden, value
// by value: keys, comments and layout stay, and so does the rest of the file,
// byte by byte. YAML in block and flow style is followed, and JSON, whatever
// the file is called.
//
// # Regular expressions
//
// They are RE2 and match within a line. The groups named mask and drop are
// hidden; an expression without them hides its whole match. (troubleshoot
// removes the text between the groups as well; here it stays.) An expression
// is only tried where a text occurs that every match must contain. That text
// is worked out from the expression (`ACME-` above) or given as `anchors`. An
// expression that has none, such as `\d{3}-\d{2}-\d{4}`, is tried on every
// line, which costs most of the speed: [Set.Slow] names these so that a user
// can be told. On lines over 8 KB expressions see 4 KB on either side of the
// anchor, or overlapping pieces.
package userrules
