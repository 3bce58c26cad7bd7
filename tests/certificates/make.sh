#!/bin/sh
# Makes the certificates that the tests of TLS use: an authority, a server on loopback, a client, and one of another
# authority. They protect nothing: their keys lie beside them. Valid for a hundred years.
set -e
cd "$(dirname "$0")"
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 \
    -subj "/O=Millrace tests/CN=$2" -keyout "$1.key" -out "$1.pem"
}
signed() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$3" -keyout "$2.key" -out "$2.csr"
  printf '%s\n' "$4" >"$2.ext"
  openssl x509 -req -in "$2.csr" -CA "$1.pem" -CAkey "$1.key" -set_serial "$5" -days 36500 -extfile "$2.ext" -out "$2.pem"
  rm "$2.csr" "$2.ext"
}
authority authority 'Test authority'
signed authority server '/O=Millrace tests/CN=localhost' 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1' 2
signed authority client '/C=BR/O=Millrace tests/CN=shop, one' 'extendedKeyUsage=clientAuth' 3
authority stranger 'Another authority'
rm authority.key
