package config

// SecretsOf lists the secrets in the settings struct that v points to which
// have a value. The SDK removes them from errors, whatever an author wrote.
func SecretsOf(v any) []Secret {
	rv, fields := fieldsOf(v)
	var out []Secret
	for _, f := range fields {
		if s, ok := rv.FieldByIndex(f.index).Interface().(Secret); ok && !s.IsZero() {
			out = append(out, s)
		}
	}
	return out
}
