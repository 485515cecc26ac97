package seal

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"

	"github.com/latchstring/latchstring/core/paths"
)

// nvIndex is where the seal lies in the TPM, in the range of the machine's
// owner.
const nvIndex = tpm2.TPMHandle(0x01815ea1)

// openTPM opens the TPM through the kernel's resource manager. Tests bring a
// software one.
var openTPM = func() (transport.TPMCloser, error) { return linuxtpm.Open("/dev/tpmrm0") }

// machineID names the installation; it is made anew when an operating system
// is installed.
var machineID = func() ([]byte, error) { return os.ReadFile("/etc/machine-id") }

// usesTPM reports whether a root is the machine's own: a scratch directory must
// not seal the machine.
var usesTPM = func(root paths.Root) bool { return root.Dir == "" }

// binding is what the TPM keeps: a hash that only this installation has. A TPM
// outlives its operating system, and a new installation is not sealed.
func binding() ([]byte, error) {
	id, err := machineID()
	if err != nil || len(bytes.TrimSpace(id)) == 0 {
		return nil, fmt.Errorf("this installation has no machine-id")
	}
	sum := sha256.Sum256(append([]byte("latchstring seal 1\n"), bytes.TrimSpace(id)...))
	return sum[:], nil
}

// inTPM reports whether the TPM holds a seal of this installation. A TPM that
// is not there, or does not answer, holds none: it is one place more, not one
// that can take remote access away.
func inTPM(root paths.Root) bool {
	want, t := useTPM(root)
	if t == nil {
		return false
	}
	defer t.Close()
	got, _, err := readNV(t)
	return err == nil && bytes.Equal(got, want)
}

// sealTPM writes the seal into the TPM and locks it there.
func sealTPM(root paths.Root) error {
	want, t := useTPM(root)
	if t == nil {
		return nil
	}
	defer t.Close()
	owner := tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)}
	old, name, err := readNV(t)
	if err == nil && bytes.Equal(old, want) {
		return nil
	}
	if name.Buffer != nil { // of an installation that is no more, or never finished
		if _, err := (tpm2.NVUndefineSpace{AuthHandle: owner, NVIndex: tpm2.NamedHandle{Handle: nvIndex, Name: name}}).Execute(t); err != nil {
			return fmt.Errorf("write to the TPM: %w", err)
		}
	}
	_, err = tpm2.NVDefineSpace{AuthHandle: owner, PublicInfo: tpm2.New2B(tpm2.TPMSNVPublic{
		NVIndex: nvIndex, NameAlg: tpm2.TPMAlgSHA256, DataSize: sha256.Size,
		Attributes: tpm2.TPMANV{OwnerWrite: true, OwnerRead: true, WriteDefine: true, WriteAll: true, NoDA: true, NT: tpm2.TPMNTOrdinary},
	})}.Execute(t)
	if err != nil {
		return fmt.Errorf("write to the TPM: %w", err)
	}
	if name, err = nvName(t); err == nil {
		_, err = tpm2.NVWrite{AuthHandle: owner, NVIndex: tpm2.NamedHandle{Handle: nvIndex, Name: name}, Data: tpm2.TPM2BMaxNVBuffer{Buffer: want}}.Execute(t)
	}
	if err == nil {
		name, err = nvName(t) // writing changed it
	}
	if err == nil {
		_, err = tpm2.NVWriteLock{AuthHandle: owner, NVIndex: tpm2.NamedHandle{Handle: nvIndex, Name: name}}.Execute(t)
	}
	if err != nil {
		return fmt.Errorf("write to the TPM: %w", err)
	}
	return nil
}

// useTPM opens the TPM of a root that has one.
func useTPM(root paths.Root) (want []byte, t transport.TPMCloser) {
	if !usesTPM(root) {
		return nil, nil
	}
	want, err := binding()
	if err != nil {
		return nil, nil
	}
	if t, err = openTPM(); err != nil {
		return nil, nil
	}
	return want, t
}

// readNV reads the index. The name is set when the index exists.
func readNV(t transport.TPM) (data []byte, name tpm2.TPM2BName, err error) {
	if name, err = nvName(t); err != nil {
		return nil, name, err
	}
	r, err := tpm2.NVRead{
		AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
		NVIndex:    tpm2.NamedHandle{Handle: nvIndex, Name: name}, Size: sha256.Size,
	}.Execute(t)
	if err != nil {
		return nil, name, err
	}
	return r.Data.Buffer, name, nil
}

func nvName(t transport.TPM) (tpm2.TPM2BName, error) {
	r, err := tpm2.NVReadPublic{NVIndex: nvIndex}.Execute(t)
	if err != nil {
		return tpm2.TPM2BName{}, err
	}
	return r.NVName, nil
}
