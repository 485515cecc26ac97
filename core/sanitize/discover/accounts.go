package discover

import (
	"strconv"
	"strings"
)

// firstUser is the lowest id of a person's account (UID_MIN of login.defs);
// the nobody ids of Linux are not people.
const firstUser = 1000

func person(id int) bool { return id >= firstUser && id != 65534 && id != 65535 && id != 4294967294 }

// accounts takes the users and groups of people from passwd and group: those
// with ids from 1000 on, and the members of any group that have such an id.
// Names like root, daemon or postgres tell an engineer what he needs to know
// and nobody who the customer is.
func (f *finder) accounts() {
	f.read("etc/passwd", func(data []byte) {
		eachEntry(data, func(name string, id int, fields []string) {
			if person(id) {
				f.user(name)
				if len(fields) > 4 {
					f.gecos(fields[4])
				}
			}
		})
	})
	f.read("etc/group", func(data []byte) {
		eachEntry(data, func(name string, id int, _ []string) {
			if person(id) {
				f.user(name)
			}
		})
	})
}

// gecos takes the parts of a real name that are distinct enough to look for:
// first and last name together.
func (f *finder) gecos(field string) {
	full, _, _ := strings.Cut(field, ",")
	full = strings.Join(strings.Fields(full), " ")
	if words := strings.Fields(full); len(words) < 2 || len(words) > 4 || len(full) > 64 {
		return
	}
	for word := range strings.FieldsSeq(full) {
		if genericNames[strings.ToLower(word)] {
			return // "Build Service Account"
		}
	}
	f.people[full] = true
}

// eachEntry walks passwd or group, whose third field is the id.
func eachEntry(data []byte, use func(name string, id int, fields []string)) {
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(fields) < 4 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		id, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			continue
		}
		use(fields[0], int(id), fields)
	}
}
