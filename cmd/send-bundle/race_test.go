//go:build race

package main

func init() { raceOn = true }
