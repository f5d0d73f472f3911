#!/usr/bin/python3
import sys
import xml.etree.ElementTree as ET

if sys.argv[2] == "migrate":
    tree = ET.parse(sys.stdin.buffer)
    for source in tree.iterfind("./devices/disk/source[@file]"):
        name = source.get("file")
        if name.startswith("/var/lib/libvirt/images/"):
            source.set("file", "/srv/images/" + name.removeprefix("/var/lib/libvirt/images/"))
    tree.write(sys.stdout.buffer)
