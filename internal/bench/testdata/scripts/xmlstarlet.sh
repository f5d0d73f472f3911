#!/bin/bash
if [ "$2" = migrate ]; then
    xmlstarlet ed -P -u '/domain/devices/disk/source[starts-with(@file, "/var/lib/libvirt/images/")]/@file' \
        -x 'concat("/srv/images/", substring-after(., "/var/lib/libvirt/images/"))'
fi
