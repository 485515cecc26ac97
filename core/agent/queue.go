package agent

import (
	"fmt"

	"github.com/latchstring/latchstring/core/deliver"
)

// queued counts the bundles that wait for delivery.
func (a *Agent) queued() (int, error) {
	q, err := deliver.OpenQueue(a.root.Queue())
	if err != nil {
		return 0, fmt.Errorf("open the queue: %w", err)
	}
	items, err := q.List()
	if err != nil {
		return 0, fmt.Errorf("read the queue: %w", err)
	}
	return len(items), nil
}
