package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
)

// settingsOf adds to the configuration of a transport what the administrator
// has set for it, as JSON, in etc/transports.d/NAME.json: a Kerberos realm, the
// authority of a proxy's certificate, the settings of a transport of one's own.
// What the caller says, for this dial, wins over the file.
func (h *Host) settingsOf(name string, config json.RawMessage) (json.RawMessage, error) {
	path := h.opt.Root.Etc("transports.d", name+".json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the settings of transport %s: %w", name, err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("the settings of transport %s in %s are no JSON object: %w", name, path, err)
	}
	if len(config) == 0 {
		return data, nil
	}
	var said map[string]json.RawMessage
	if err := json.Unmarshal(config, &said); err != nil {
		return nil, fmt.Errorf("the settings of transport %s: %w", name, err)
	}
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	maps.Copy(all, said)
	return json.Marshal(all)
}
