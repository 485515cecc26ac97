package sanitize

// Host is the pseudonym of a host name, whatever stands around it: text shows a
// short name to be one only by its context, a caller knows.
func (s *Sanitizer) Host(name string) string {
	if s.mapper == nil || name == "" {
		return name
	}
	return string(s.mapper.AppendHost(nil, []byte(name)))
}
