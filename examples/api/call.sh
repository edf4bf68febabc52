#!/usr/bin/env bash
# One call of the HTTP API (docs/api.md) with curl and OpenSSL 3 alone: every step that a program in
# another language would take. Prints the answer's body; the status is curl's.
#
#   MIG_CONFIG=client.yaml examples/api/call.sh GET  /v1/agents
#   MIG_CONFIG=client.yaml examples/api/call.sh POST /v1/targets '{"target":"all"}'
#   mig query example -gethostname -p | MIG_CONFIG=client.yaml examples/api/call.sh POST /v1/actions -
#
# The key that client.yaml names must be one without a passphrase. A real program opens one session
# and keeps it for hours; this opens one for each call.
set -euo pipefail
umask 077

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
  echo "usage: MIG_CONFIG=client.yaml $0 METHOD PATH [BODY | -]" >&2
  exit 2
fi
config=${MIG_CONFIG:?names client.yaml; of a lab: ~/.local/state/mig/lab/config/client.yaml}
method=$1 path=$2

setting() { sed -n "s/^$1:[[:space:]]*//p" "$config"; }
file_setting() { # relative to the folder of the configuration
  local file
  file=$(setting "$1")
  case $file in /*) printf '%s' "$file" ;; *) printf '%s/%s' "$(dirname "$config")" "$file" ;; esac
}
api=$(setting api) org=$(setting org) ca=$(file_setting ca) key=$(file_setting key)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The raw 32 bytes of a public key, and its id: base32 of their SHA-256, lower case, no padding.
public_key() { openssl pkey -in "$1" -pubout -outform DER | tail -c 32; }
key_id() { public_key "$1" | openssl dgst -sha256 -binary | base32 -w0 | tr -d = | tr '[:upper:]' '[:lower:]'; }
sign() { # KEY TEXT
  printf '%s' "$2" >"$work/text"
  openssl pkeyutl -sign -inkey "$1" -rawin -in "$work/text" | base64 -w0
}
send() { curl --silent --show-error --fail-with-body --no-buffer --cacert "$ca" "$@"; }

# The person's key. Before the seed, PKCS #8 has 16 bytes that never differ (RFC 8410 section 7).
grep -q '^protection: none$' "$key" || { echo "$key: protected by a passphrase" >&2; exit 2; }
{
  printf '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20'
  sed -n 's/^secret: //p' "$key" | base64 -d
} | openssl pkey -inform DER -out "$work/person.pem"

# A session: a new key, for which the person's key vouches once, in a DSSE envelope.
openssl genpkey -algorithm ed25519 -out "$work/session.pem"
type=application/vnd.mig.session.v1+json
payload=$(printf '{"org":"%s","key":"%s","validfrom":"%s","expireafter":"%s","nonce":"%s"}' "$org" \
  "$(public_key "$work/session.pem" | base64 -w0)" "$(date -u -d '-1 minute' +%FT%TZ)" \
  "$(date -u -d '+10 minutes' +%FT%TZ)" "$(openssl rand 16 | base64 -w0)")
signature=$(sign "$work/person.pem" "DSSEv1 ${#type} $type ${#payload} $payload")
printf '{"payloadType":"%s","payload":"%s","signatures":[{"keyid":"%s","sig":"%s"}]}' "$type" \
  "$(printf '%s' "$payload" | base64 -w0)" "$(key_id "$work/person.pem")" "$signature" \
  >"$work/envelope"
send --output "$work/opened" --data-binary "@$work/envelope" "$api/v1/session" ||
  { cat "$work/opened" >&2; exit 1; }

# The request, signed by the session's key (RFC 9421): method, URL and the digest of the body.
covered='"@method" "@target-uri"'
base=$(printf '"@method": %s\n"@target-uri": %s' "$method" "$api$path")
body=()
if [ $# -eq 3 ]; then
  if [ "$3" = - ]; then cat >"$work/body"; else printf '%s' "$3" >"$work/body"; fi
  digest="sha-256=:$(openssl dgst -sha256 -binary "$work/body" | base64 -w0):"
  covered+=' "content-digest"'
  base+=$(printf '\n"content-digest": %s' "$digest")
  body=(--header "Content-Digest: $digest" --data-binary "@$work/body")
fi
parameters="($covered);created=$(date +%s);nonce=\"$(openssl rand -hex 16)\""
parameters+=";keyid=\"$(key_id "$work/session.pem")\";alg=\"ed25519\""
base+=$(printf '\n"@signature-params": %s' "$parameters")
send --request "$method" --header "Signature-Input: call=$parameters" \
  --header "Signature: call=:$(sign "$work/session.pem" "$base"):" \
  --header 'Content-Type: application/json' "${body[@]}" "$api$path"
