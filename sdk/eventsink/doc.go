// Package eventsink is for authors of event sinks: what brings an event (remote
// support was switched on, an engineer connected) to where the customer wants
// to see it: a storage array's event log, syslog, mail, a chat.
//
// # The one method
//
// An event sink implements [Sink]: Deliver. It returns nil when the event is
// there for good. The host keeps events in a file until then, in order, and
// delivers again after an error. An event may therefore come twice; its ID is
// the same both times.
//
//	func (s *hook) Deliver(ctx context.Context, e eventsink.Event) error {
//		resp, err := s.post(ctx, e)
//		if err != nil {
//			return err // tried again later
//		}
//		if resp.StatusCode == http.StatusBadRequest {
//			return eventsink.Permanent(fmt.Errorf("hook refused event %s: %s", e.ID, resp.Status))
//		}
//		return nil
//	}
package eventsink
