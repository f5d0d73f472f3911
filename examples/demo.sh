#!/bin/sh
# make demo: what virthook does, without libvirt. It checks that the SDK is what the
# spec gives, builds relocate-disks as one static binary, installs it as the hook of
# qemu in a temporary folder, and plays the life of a guest at it, in the order and with
# the XML of a real libvirt.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bold=$(tput bold 2>/dev/null || true) plain=$(tput sgr0 2>/dev/null || true)
[ -t 1 ] || bold='' plain=''
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

say "Building virthook; the first time go downloads what it needs, which may take two minutes."
go build -o "$work/virthook" ./cmd/virthook

say "The spec, and the SDK that is generated from it:"
"$work/virthook" generate --check --out sdk

say "One static binary, installed as hooks/qemu:"
mkdir "$work/hooks"
cp examples/relocate-disks/testdata/rules.json "$work/rules.json"
CGO_ENABLED=0 go build -trimpath -ldflags "-X main.rulesFile=$work/rules.json" -o "$work/hooks/qemu" ./examples/relocate-disks
ls -lh "$work/hooks/qemu" | awk '{print "hooks/qemu, " $5}'

say "A guest boots, migrates live to another host, where its disks are elsewhere, and shuts down:"
echo "Tainted: libvirt notes, in its log and in virsh dominfo, that a hook has changed the guest's XML. The guest works as before."
"$work/virthook" replay migrate --hooks "$work/hooks"

say "A broken rule file refuses the next migration; the guest stays where it is:"
echo '{"rules": [{"from": "images"}]}' >"$work/rules.json"
status=0
"$work/virthook" fire qemu migrate --hooks "$work/hooks" || status=$?
if [ "$status" != 1 ]; then
	echo "examples/demo.sh: the broken rule file has not refused the migration, status $status" >&2
	exit 1
fi
say "That refusal was expected. The demo has ended as it should."
