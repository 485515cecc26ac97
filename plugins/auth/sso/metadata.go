package sso

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crewjam/saml"
	xrv "github.com/mattermost/xml-roundtrip-validator"

	"github.com/latchstring/latchstring/sdk/auth"
)

// parseMetadata reads the description of a provider, or finds it in that of a
// federation by its entity id.
func parseMetadata(data []byte, entity string) (*saml.EntityDescriptor, error) {
	if len(data) > maxAnswer {
		return nil, fmt.Errorf("it has %d bytes", len(data))
	}
	// What Go's XML packages read in different ways is not read at all.
	if err := xrv.Validate(bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("it is no XML: %s", clean(err.Error()))
	}
	var one saml.EntityDescriptor
	list := []saml.EntityDescriptor{}
	if xml.Unmarshal(data, &one) == nil {
		list = append(list, one)
	} else {
		var all saml.EntitiesDescriptor
		if err := xml.Unmarshal(data, &all); err != nil {
			return nil, errors.New("it is no SAML metadata")
		}
		list = all.EntityDescriptors
	}
	var found []*saml.EntityDescriptor
	for i := range list {
		if len(list[i].IDPSSODescriptors) > 0 && (entity == "" || list[i].EntityID == entity) {
			found = append(found, &list[i])
		}
	}
	switch {
	case len(found) == 0:
		return nil, errors.New("the identity provider is not in it")
	case len(found) > 1:
		return nil, errors.New("several identity providers are in it; say which with provider")
	}
	return found[0], checkMetadata(found[0])
}

func checkMetadata(d *saml.EntityDescriptor) error {
	if d.EntityID == "" {
		return errors.New("the identity provider has no entity id in it")
	}
	_, err := certificates(d)
	return err
}

// certificates are those by which signatures are checked.
func certificates(d *saml.EntityDescriptor) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for _, idp := range d.IDPSSODescriptors {
		for _, key := range idp.KeyDescriptors {
			if key.Use != "" && key.Use != "signing" {
				continue
			}
			for _, text := range key.KeyInfo.X509Data.X509Certificates {
				der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text.Data), ""))
				if err != nil {
					return nil, errors.New("a certificate in it is no base64")
				}
				c, err := x509.ParseCertificate(der)
				if err != nil {
					return nil, fmt.Errorf("a certificate in it cannot be read: %w", err)
				}
				out = append(out, c)
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the identity provider has no certificate for signatures in it")
	}
	return out, nil
}

// provider returns the description of the provider.
func (l *login) provider(ctx context.Context) (*saml.EntityDescriptor, error) {
	data := []byte(l.Metadata)
	if l.MetadataURL != "" {
		var err error
		if data, _, err = get(ctx, l.client, l.MetadataURL); err != nil {
			return nil, unavailable(ctx, err)
		}
	}
	d, err := parseMetadata(data, l.Provider)
	if err != nil {
		return nil, auth.Errorf(auth.Config, "set metadata or metadata_url to what the identity provider publishes", "the identity provider's metadata does not work: %w", err)
	}
	if !d.ValidUntil.IsZero() && d.ValidUntil.Before(l.now().Add(-skew)) {
		return nil, auth.Errorf(auth.Config, "fetch the identity provider's metadata anew", "the identity provider's metadata has expired, at %s", d.ValidUntil.UTC().Format(time.RFC3339))
	}
	return d, nil
}
