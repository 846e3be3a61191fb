"""An independent P2MP-FTP end, from the assignment's description: stop-and-wait, 8-byte headers.

p2mp_peer.py server PORT FILE        p2mp_peer.py client HOST PORT FILE MSS
The end is a packet of type 0x5557 without data, acknowledged like the others.
"""
import socket
import struct
import sys

DATA, END, ACK = 0x5555, 0x5557, 0xAAAA


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(sequence, kind, data=b""):
    return struct.pack("!IHH", sequence, checksum(data), kind) + data


def serve(port, path):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))
    print("ready", flush=True)
    sock.settimeout(10)
    wanted, received, over = 0, [], False
    while True:
        try:
            datagram, sender = sock.recvfrom(65536)
        except socket.timeout:
            sys.exit(0 if over else 1)
        sequence, check, kind = struct.unpack("!IHH", datagram[:8])
        data = datagram[8:]
        if checksum(data) != check or kind not in (DATA, END):
            continue
        if sequence == wanted and not over:
            wanted += 1
            received.append(data)
            over = kind == END
            if over:
                with open(path, "wb") as out:
                    out.write(b"".join(received))
                sock.settimeout(0.5)
        if wanted > 0:
            sock.sendto(struct.pack("!IHH", wanted - 1, 0, ACK), sender)


def send(host, port, path, mss):
    with open(path, "rb") as source:
        content = source.read()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((host, port))
    sock.settimeout(0.1)
    segments = [content[at : at + mss] for at in range(0, len(content), mss)]
    packets = [packet(i, DATA, s) for i, s in enumerate(segments)] + [packet(len(segments), END)]
    for sequence, out in enumerate(packets):
        for _ in range(50):
            try:
                sock.send(out)
                answer = sock.recv(64)
                while answer != struct.pack("!IHH", sequence, 0, ACK):
                    answer = sock.recv(64)
                break
            except (socket.timeout, ConnectionRefusedError):
                print("Timeout, sequence number = %d" % sequence)
        else:
            sys.exit(1)


if sys.argv[1] == "server":
    serve(int(sys.argv[2]), sys.argv[3])
else:
    send(sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
