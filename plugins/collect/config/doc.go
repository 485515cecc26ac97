// Package config collects the configuration of the machine: the text files
// below /etc and its likes.
//
// Everything here is marked as configuration, so that the host redacts it
// before anything else and removes the secrets found here from the logs.
// Symbolic links are listed in index.txt and not followed. Files that no
// support case needs and that are nothing but secrets (password hashes, host
// keys) are left out from the start; binaries are named in the manifest.
package config
