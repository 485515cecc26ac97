package gate

import (
	"bytes"
	"regexp"
)

// shape is a token that nothing else looks like.
type shape struct {
	rule     string
	prefixes []string
	tail     string // regular expression behind the prefix
}

// shapes of tokens, in bounds that are the issuers' own.
var shapes = []shape{
	{"aws-key", []string{"AKIA", "ASIA"}, `[A-Z2-7]{16}\b`},
	{"github", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}, `[0-9A-Za-z]{36}`},
	{"github-pat", []string{"github_pat_"}, `[0-9A-Za-z]{22}_[0-9A-Za-z]{50}`},
	{"gitlab", []string{"glpat-", "gldt-", "glrt-", "glptt-"}, `[0-9A-Za-z_-]{20}`},
	{"slack", []string{"xoxb-", "xoxp-", "xoxa-", "xoxs-"}, `[0-9]{9,13}-[0-9A-Za-z-]{20}`},
	{"stripe", []string{"sk_live_", "rk_live_"}, `[0-9A-Za-z]{24}`},
	{"google-api", []string{"AIza"}, `[0-9A-Za-z_-]{35}\b`},
	{"google-oauth", []string{"ya29."}, `[0-9A-Za-z_-]{40}`},
	{"google-secret", []string{"GOCSPX-"}, `[0-9A-Za-z_-]{28}`},
	{"sendgrid", []string{"SG."}, `[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}`},
	{"npm", []string{"npm_"}, `[0-9A-Za-z]{36}`},
	{"pypi", []string{"pypi-AgEI"}, `[0-9A-Za-z_-]{60}`},
	{"digitalocean", []string{"dop_v1_", "doo_v1_", "dor_v1_"}, `[0-9a-f]{64}`},
	{"vault", []string{"hvs."}, `[0-9A-Za-z_-]{24}`},
	{"anthropic", []string{"sk-ant-"}, `[0-9A-Za-z_-]{40}`},
	{"openai", []string{"sk-proj-", "sk-svcacct-"}, `[0-9A-Za-z_-]{40}`},
	{"huggingface", []string{"hf_"}, `[0-9A-Za-z]{34}\b`},
	{"groq", []string{"gsk_"}, `[0-9A-Za-z]{52}`},
	{"shopify", []string{"shpat_", "shpca_", "shppa_", "shpss_"}, `[0-9a-f]{32}`},
	{"grafana", []string{"glsa_"}, `[0-9A-Za-z]{32}_[0-9a-f]{8}`},
	{"tailscale", []string{"tskey-auth-", "tskey-api-", "tskey-client-"}, `[0-9A-Za-z]{10,}-[0-9A-Za-z]{20}`},
	{"linear", []string{"lin_api_"}, `[0-9A-Za-z]{40}`},
	{"docker", []string{"dckr_pat_"}, `[0-9A-Za-z_-]{27}`},
	{"databricks", []string{"dapi"}, `[0-9a-f]{32}\b`},
	{"planetscale", []string{"pscale_tkn_", "pscale_pw_"}, `[0-9A-Za-z_.-]{40}`},
	{"postman", []string{"PMAK-"}, `[0-9a-f]{24}-[0-9a-f]{34}`},
	{"newrelic", []string{"NRAK-"}, `[0-9A-Z]{27}`},
	{"easypost", []string{"EZAK", "EZTK"}, `[0-9A-Za-z]{54}`},
	{"figma", []string{"figd_"}, `[0-9A-Za-z_-]{40}`},
	{"rubygems", []string{"rubygems_"}, `[0-9a-f]{48}`},
	{"atlassian", []string{"ATATT3"}, `[0-9A-Za-z_=-]{60}`},
	{"age", []string{"AGE-SECRET-KEY-1"}, `[0-9A-Z]{58}`},
	{"jwt", []string{"eyJ"}, `[0-9A-Za-z_-]{14,}\.eyJ[0-9A-Za-z_-]{14,}\.[0-9A-Za-z_-]{20}`},
	{"pem-base64", []string{"LS0tLS1CRUdJTi"}, `(?:BQUklWQVRF|BSU0EgUFJJ|BFQyBQUklW|BPUEVOU1NI|BFTkNSWVBU)[0-9A-Za-z+/]{8,}`},
	{"crypt", []string{"$6$", "$5$", "$y$"}, `[0-9A-Za-z./=,$]{4,24}\$[0-9A-Za-z./]{43,86}`},
	{"bcrypt", []string{"$2a$", "$2b$", "$2y$"}, `[0-9]{2}\$[0-9A-Za-z./]{53}`},
}

// window is how much of the text a regular expression may look at.
const window = 2 << 10

func (b *builder) shapes() {
	for _, s := range shapes {
		re := regexp.MustCompile(`^` + s.tail)
		for _, p := range s.prefixes {
			prefix := []byte(p)
			b.add(p, entry{rule: "token-" + s.rule, check: func(text []byte, i int) bool {
				if !bytes.HasPrefix(text[i:], prefix) {
					return false
				}
				if i > 0 && (letterOrDigit(text[i-1]) || text[i-1] == '_') {
					return false
				}
				rest := text[i+len(prefix) : min(len(text), i+window)]
				m := re.Find(rest)
				return m != nil && bytes.ContainsAny(m, "0123456789") && !bytes.Contains(m, []byte("REDACTED"))
			}})
		}
	}
}
