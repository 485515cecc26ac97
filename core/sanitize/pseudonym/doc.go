// Package pseudonym replaces identifiers by keyed stand-ins.
//
// A [Mapper] holds the customer's 32-byte key. Equal keys give equal
// pseudonyms in every file, run, worker and machine, so a support engineer can
// follow one host through the bundles of a fleet without learning its name.
// Nothing is shared between workers but a cache, and losing a cache entry only
// costs time: the mapping is a function of the key.
//
// # Addresses
//
// IPv4 and IPv6 addresses go through Crypto-PAn (Xu, Fan, Ammar, Moon, ICNP
// 2002): two addresses that share their first n bits share exactly n bits
// afterwards, so subnets stay visible. An address never leaves its class: what
// was in 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16, fc00::/7 or
// fe80::/10 stays there, and what was public stays public (by walking the
// cycle of the permutation; two public addresses that differ within the first
// 16 bits may therefore share fewer or more bits than before). Unspecified,
// loopback, netmask, broadcast and multicast addresses identify nobody and are
// kept. [Options.RandomIPs] uses a permutation without structure: subnets
// become invisible, classes stay. MAC addresses keep the group and the local
// bit.
//
// Prefix-preserving mappings yield to somebody who knows some of the originals:
// each known pair discloses the mapping of its prefixes. Random mode does not.
//
// # Names
//
// Host names are mapped label by label to "h-" and eight base32 digits, folded
// to lower case, and keep their public suffix: db1.corp.example.com becomes
// h-….h-….h-….com, and the short name db1 has the same label. Users become
// "u-…"; a mail address is a user at a host.
//
// # Doing it twice
//
// A name that this key has produced is recognised (32 bits of the token are
// the pseudonym, 8 bits a keyed check of them) and left alone, so names are
// fixed points. Addresses have no room for a check: pseudonymising an address
// twice gives a third address. Whoever sanitizes his own output again must
// know that; secrets and names do not change any more, addresses do, one to
// one, within their class.
//
// # Turning back
//
// Addresses are turned back with the key alone ([Mapper.Reveal]). Names need
// the [Book], an encrypted file on the customer's side that remembers which
// label a token stands for. Neither ever goes into a bundle.
package pseudonym
