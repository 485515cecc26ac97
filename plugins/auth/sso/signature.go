package sso

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Bounds of a response.
const (
	maxDepth    = 50
	maxElements = 5000
)

// inspect refuses documents that no provider makes and attackers do: signature
// wrapping needs a second assertion somewhere, or an id that is there twice.
func inspect(document []byte) error {
	if len(document) > maxCallback {
		return fmt.Errorf("it has %d bytes", len(document))
	}
	ids := map[string]bool{}
	assertions, signatures, elements, depth := 0, 0, 0, 0
	dec := xml.NewDecoder(bytes.NewReader(document))
	for {
		t, err := dec.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return errors.New("it is no XML")
		}
		switch t := t.(type) {
		case xml.Directive:
			return errors.New("it has a document type")
		case xml.EndElement:
			depth--
		case xml.StartElement:
			if depth, elements = depth+1, elements+1; depth > maxDepth || elements > maxElements {
				return errors.New("it is too deep or too large")
			}
			switch t.Name.Local {
			case "Assertion", "EncryptedAssertion":
				assertions++
			case "Signature":
				signatures++
			}
			for _, a := range t.Attr {
				switch a.Name.Local {
				case "ID", "Id", "id":
					if ids[a.Value] {
						return errors.New("an id is there twice")
					}
					ids[a.Value] = true
				}
			}
		}
	}
	switch {
	case assertions == 0:
		// A provider that says no sends none; the library reads its status.
	case assertions > 1:
		return errors.New("there is more than one assertion in it")
	case signatures > 2:
		return errors.New("there are more than two signatures in it")
	}
	return nil
}

// strict checks signatures of responses and assertions, by methods that hold.
type strict struct{}

var (
	signatureMethods = map[string]bool{
		dsig.RSASHA256SignatureMethod: true, dsig.RSASHA384SignatureMethod: true, dsig.RSASHA512SignatureMethod: true,
		dsig.ECDSASHA256SignatureMethod: true, dsig.ECDSASHA384SignatureMethod: true, dsig.ECDSASHA512SignatureMethod: true,
	}
	digestMethods = map[string]bool{
		"http://www.w3.org/2001/04/xmlenc#sha256": true, "http://www.w3.org/2001/04/xmldsig-more#sha384": true, "http://www.w3.org/2001/04/xmlenc#sha512": true,
	}
)

// VerifySignature implements saml.SignatureVerifier.
func (strict) VerifySignature(c *dsig.ValidationContext, el *etree.Element) error {
	for _, s := range el.FindElements("./Signature") {
		methods, digests := s.FindElements("./SignedInfo/SignatureMethod"), s.FindElements("./SignedInfo/Reference/DigestMethod")
		if len(methods) != 1 || len(digests) != 1 {
			return errors.New("its signature has another form")
		}
		if m := methods[0].SelectAttrValue("Algorithm", ""); !signatureMethods[m] {
			return fmt.Errorf("it is signed by a method that is not accepted (%s)", m)
		}
		if m := digests[0].SelectAttrValue("Algorithm", ""); !digestMethods[m] {
			return fmt.Errorf("it is signed with a hash that is not accepted (%s)", m)
		}
	}
	if _, err := c.Validate(el); err != nil {
		return fmt.Errorf("its signature is wrong: %w", err)
	}
	return nil
}
