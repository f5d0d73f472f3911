package socket
