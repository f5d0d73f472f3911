#!/bin/bash
if [ "$2" = migrate ]; then
    sed "s|<source file='/var/lib/libvirt/images/|<source file='/srv/images/|"
fi
