//go:build race

package resume

func init() { modelRuns = 150 } // each is ten times slower
