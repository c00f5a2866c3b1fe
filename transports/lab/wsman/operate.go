package wsman

import (
	"context"
	"encoding/base64"
	"errors"
	"time"
)

// operate does what a request asks for.
func (s *Server) operate(x *exchange, r *request) ([]byte, *Fault) {
	if r.resource != resourceCmd {
		return nil, &Fault{
			Code: CodeResourceURI, Subcode: "a:DestinationUnreachable", Detail: "InvalidResourceURI",
			Reason: "The WS-Management service cannot process the request. The service cannot find the resource identified by the resource URI and selectors. ",
		}
	}
	if r.action == actionCreate {
		return s.create(x, r)
	}
	work, known := operations[r.action]
	if !known {
		return nil, &Fault{
			Code: CodeAction, Subcode: "a:ActionNotSupported",
			Reason: "The WS-Management service does not support the action specified in the request. ",
		}
	}
	sh, fault := s.find(x, r)
	if fault != nil {
		return nil, fault
	}
	return work(s, x, sh, r)
}

// operations are those on a shell that is there.
var operations = map[string]func(*Server, *exchange, *shell, *request) ([]byte, *Fault){
	actionCommand: (*Server).run,
	actionSend:    (*Server).send,
	actionReceive: (*Server).receive,
	actionSignal:  (*Server).signal,
	actionDelete:  (*Server).remove,
}

// asFault turns a Backend's error into a fault.
func asFault(err error) *Fault {
	if fault, ok := errors.AsType[*Fault](err); ok {
		return fault
	}
	return &Fault{Code: CodeNotFound, Receiver: true, Subcode: "w:InternalError", Reason: "The system cannot find the file specified. ", Message: err.Error()}
}

// errGone stands for an answer that nobody takes: the client has gone away.
var errGone = &Fault{Reason: "the client has gone away"}

// wait calls try under the command's lock, again after each change, until it
// says that it is done. It ends with a fault when the operation's time is up,
// and with errGone when the client goes away.
func (s *Server) wait(x *exchange, r *request, c *command, try func() (done bool, fault *Fault)) *Fault {
	limit := s.config.OperationTimeout
	if r.timeout > 0 {
		limit = min(limit, r.timeout)
	}
	var expired <-chan struct{}
	for {
		c.mu.Lock()
		done, fault := try()
		changed := c.changed
		c.mu.Unlock()
		if done || fault != nil {
			return fault
		}
		if expired == nil {
			var stop context.CancelFunc
			expired, stop = s.timer(x.r.Context(), limit)
			defer stop()
		}
		select {
		case <-changed:
		case <-expired:
			return faultTimeout()
		case <-x.r.Context().Done():
			return errGone
		case <-s.done:
			return faultAborted()
		}
	}
}

// timer closes the channel after d of the server's clock.
func (s *Server) timer(ctx context.Context, d time.Duration) (<-chan struct{}, context.CancelFunc) {
	ctx, stop := context.WithCancel(ctx)
	expired := make(chan struct{})
	go func() {
		if s.config.Clock.Sleep(ctx, d) == nil {
			close(expired)
		}
	}()
	return expired, stop
}

// receive waits for output, or for the end.
func (s *Server) receive(x *exchange, sh *shell, r *request) ([]byte, *Fault) {
	if r.body.Receive == nil {
		return nil, faultInvalidBody()
	}
	c := sh.command(r.body.Receive.Desired.CommandID)
	if c == nil {
		return nil, faultNoCommand()
	}
	r.commandID = c.id
	if s.faults.take(FaultShellKilled) {
		s.drop(sh)
		return nil, faultNoShell(sh.id)
	}
	most := base64.StdEncoding.DecodedLen(r.envelope-replyOverhead) - 8
	var out output
	fault := s.wait(x, r, c, func() (bool, *Fault) {
		switch {
		case c.gone:
			return false, faultAborted()
		case c.fetched:
			return false, faultNoCommand()
		}
		out.stdout, out.stderr = c.take(0, most), nil
		out.stderr = c.take(1, most-len(out.stdout))
		if c.ended && len(c.data[0]) == 0 && len(c.data[1]) == 0 {
			if c.lost {
				return false, faultAborted()
			}
			out.done, out.exit, out.stdoutEnd, out.stderrEnd = true, c.exit, true, true
			c.fetched = true
		}
		return out.done || len(out.stdout) > 0 || len(out.stderr) > 0, nil
	})
	if fault != nil {
		return nil, fault
	}
	if out.done {
		out.noExit = s.faults.take(FaultNoExitCode)
	}
	return outputReply(r, out), nil
}

// take removes at most n bytes from an output. The caller holds c.mu.
func (c *command) take(index, n int) []byte {
	n = min(n, len(c.data[index]))
	if n == 0 {
		return nil
	}
	data := c.data[index][:n:n]
	if c.data[index] = c.data[index][n:]; len(c.data[index]) == 0 {
		c.data[index] = nil
	}
	c.notify()
	return data
}

// send gives the command input, once it has read enough of the last.
func (s *Server) send(x *exchange, sh *shell, r *request) ([]byte, *Fault) {
	if r.body.Send == nil || len(r.body.Send.Streams) == 0 {
		return nil, faultInvalidBody()
	}
	for _, in := range r.body.Send.Streams {
		data, err := decodeStream(in.Data)
		if err != nil || in.Name != "stdin" {
			return nil, faultInvalidBody()
		}
		c := sh.command(in.CommandID)
		if c == nil {
			return nil, faultNoCommand()
		}
		fault := s.wait(x, r, c, func() (bool, *Fault) {
			switch {
			case c.gone, c.fetched:
				return false, faultNoCommand()
			case c.ended, c.inEnd && len(data) > 0:
				return false, &Fault{Code: CodePipeClosing, Receiver: true, Subcode: "w:InternalError", Reason: "The pipe is being closed. "}
			case len(c.in) >= mostInput:
				return false, nil
			}
			c.in = append(c.in, data...)
			c.inEnd = c.inEnd || in.End == "true" || in.End == "1"
			c.notify()
			return true, nil
		})
		if fault != nil {
			return nil, fault
		}
	}
	return reply(r, "<rsp:SendResponse></rsp:SendResponse>"), nil
}

// signal ends a command. Terminate is also how a client says that it is done
// with a command, and is well for one that has ended.
func (s *Server) signal(_ *exchange, sh *shell, r *request) ([]byte, *Fault) {
	if r.body.Signal == nil {
		return nil, faultInvalidBody()
	}
	why, known := signals[r.body.Signal.Code]
	if !known {
		return nil, faultInvalidBody()
	}
	c := sh.command(r.body.Signal.CommandID)
	switch {
	case c == nil:
		return nil, faultNoCommand()
	case errors.Is(why, ErrTerminated):
		sh.forget(c)
		c.abandon(why)
	default:
		c.cancel(why)
	}
	return reply(r, "<rsp:SignalResponse></rsp:SignalResponse>"), nil
}

// remove deletes a shell.
func (s *Server) remove(_ *exchange, sh *shell, r *request) ([]byte, *Fault) {
	if !s.drop(sh) {
		return nil, faultNoShell(sh.id)
	}
	return reply(r, ""), nil
}
