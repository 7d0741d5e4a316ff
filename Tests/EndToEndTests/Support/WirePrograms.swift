/// Programs that tests run inside a lab: they send what no host would, and look at a wire.
enum WirePrograms {
    /// Seconds without a packet after which no more are expected.
    private static let silence = Requirements.isSlow ? 3 : 1

    /// Until there is no VXLAN for a while: how many inner IPv4 packets longer than 1500 bytes
    /// there were on `under`, and their bytes.
    static let watchInnerLengths = """
        import socket
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        s.bind(("under", 0))
        s.settimeout(\(silence))
        count = total = 0
        started = False
        while True:
            try:
                frame = s.recv(68)
            except TimeoutError:
                if started:
                    break
                continue
            if len(frame) < 68 or frame[23] != 17 or frame[36:38] != b"\\x12\\xb5":
                continue
            if frame[62:64] != b"\\x08\\0":
                continue
            started = True
            # Outer Ethernet, IPv4, UDP and VXLAN and the inner Ethernet header are 64 bytes.
            length = int.from_bytes(frame[66:68], "big")
            if length > 1500:
                count, total = count + 1, total + length
        print(count, total)
        """

    /// The same for outer IPv4 packets.
    static let watchOuterLengths = watchInnerLengths.replacing("frame[66:68]", with: "frame[16:18]")

    /// A TCP packet of ten times 1000 bytes in VLAN 7 to nobody, which a card is to cut and sum up.
    static let taggedSuperPacket = """
        import socket, struct
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
        s.bind(("red1", 0))
        data = bytes(n % 251 for n in range(10000))
        ends = socket.inet_aton("10.1.0.1") + socket.inet_aton("10.1.0.2")
        def folded(data):
            total = sum(struct.unpack(f"!{len(data) // 2}H", data))
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            return total
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(data), 9, 0, 64, 6, 0) + ends
        ip = ip[:10] + struct.pack("!H", 0xFFFF - folded(ip)) + ip[12:]
        sum_of_pseudo = folded(ends + struct.pack("!HH", 6, 20 + len(data)))
        tcp = struct.pack("!HHIIBBHHH", 1, 2, 1000, 1, 0x50, 0x10, 500, sum_of_pseudo, 0)
        frame = bytes.fromhex("02cc00000007" "02aa00000001" "81000007" "0800") + ip + tcp + data
        s.send(struct.pack("<BBHHHH", 1, 1, 58, 1000, 38, 16) + frame)
        """

    /// VXLAN as it arrives on `under`, until there is none for a while: whether each inner frame is
    /// a segment of the super-packet above, the next one, with its tag and a right checksum.
    static let watchTaggedSegments = """
        import socket, struct
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.bind(("under", 0))
        s.settimeout(\(silence))
        data = bytes(n % 251 for n in range(10000))
        count = 0
        wrong = []
        while True:
            try:
                frame = s.recv(70000)
            except TimeoutError:
                if count:
                    break
                continue
            if frame[23:24] != b"\\x11" or frame[36:38] != b"\\x12\\xb5":
                continue
            inner = frame[50:]
            if inner[12:18] != bytes.fromhex("810000070800"):
                wrong.append(inner[:20].hex())
                break
            length = int.from_bytes(inner[20:22], "big")
            tcp = inner[38:18 + length]
            pseudo = inner[30:38] + struct.pack("!HH", 6, len(tcp))
            total = sum(struct.unpack(f"!{(len(tcp) + 12) // 2}H", pseudo + tcp))
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            sequence = int.from_bytes(tcp[4:8], "big")
            if (length != 1040 or total != 0xFFFF or sequence != 1000 + 1000 * count
                    or tcp[20:] != data[1000 * count:1000 * count + 1000]):
                wrong.append((length, total, sequence))
            count += 1
        print(count, "segments,", wrong or "all right")
        """

    /// Two thousand numbered datagrams in bursts that a host's socket can hold.
    static let burstClient = """
        import socket, time
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect(("10.1.0.2", 7777))
        s.send(b"first")
        time.sleep(\(Requirements.isSlow ? 1 : 0.2))
        for burst in range(40):
            for number in range(50):
                s.send(b"%08d" % (burst * 50 + number) * 125)
            time.sleep(\(Requirements.isSlow ? 0.1 : 0.002))
        """

    static let burstServer = """
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        s.bind(("10.1.0.2", 7777))
        s.settimeout(4)
        seen = set()
        s.recv(2000)
        s.settimeout(\(silence))
        try:
            while len(seen) < 2000:
                data = s.recv(2000)
                if data == data[:8] * 125:
                    seen.add(int(data[:8]))
        except TimeoutError:
            pass
        print(len(seen & set(range(2000))), "of 2000")
        """

    /// VXLAN from 198.51.100.1 as it arrives on `under`, until there is none for a while: how many
    /// have a UDP checksum, how many have none, how many a wrong one, and how many do not fit the
    /// wire.
    static let watchChecksums = """
        import socket
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        s.bind(("under", 0))
        s.settimeout(\(silence))
        some = none = wrong = long = 0
        while True:
            try:
                frame = s.recv(70000)
            except TimeoutError:
                if some + none > 0:
                    break
                continue
            if frame[23:24] != b"\\x11" or frame[26:30] != bytes([198, 51, 100, 1]):
                continue
            long += len(frame) > 1514
            udp = frame[34:14 + int.from_bytes(frame[16:18], "big")]
            if udp[6:8] == b"\\0\\0":
                none += 1
                continue
            some += 1
            data = frame[26:34] + b"\\0\\x11" + udp[4:6] + udp + b"\\0" * (len(udp) % 2)
            total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            wrong += total != 0xFFFF
        print(some, none, wrong, long)
        """

    /// Eleven IPv4 packets for the VTEP that a router passes on; only their ends can refuse them.
    static let badPackets = """
        import socket, struct
        s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        VTEP = "198.51.100.1"
        def ip(payload, protocol=17, fragment=0, options=b""):
            head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
                               20 + len(options) + len(payload), 7, fragment, 64, protocol, 0,
                               socket.inet_aton("198.51.100.2"), socket.inet_aton(VTEP))
            s.sendto(head + options + payload, (VTEP, 0))
        def udp(payload, port=4789, length=None, checksum=0):
            return struct.pack("!HHHH", 50000, port, length or 8 + len(payload), checksum) + payload
        vxlan = struct.pack("!II", 0x08000000, 77 << 8)
        frame = bytes.fromhex("020000000001020000000002") + b"\\x08\\0" + bytes(46)
        ip(udp(vxlan + frame, checksum=1))                       # outer_bad_checksum
        ip(udp(vxlan + frame), options=b"\\x01\\x01\\x01\\x00")  # outer_bad_header
        ip(udp(vxlan + frame, length=200))                       # outer_bad_length
        ip(udp(vxlan + frame, length=7))                         # outer_bad_length
        ip(udp(vxlan + frame), fragment=0x2000)                  # outer_fragment
        ip(frame, fragment=9)                                    # outer_fragment
        ip(udp(vxlan + frame, port=4790))                        # outer_not_our_vtep
        ip(b"\\x08\\0\\xf7\\xff\\0\\0\\0\\0", protocol=1)        # outer_not_our_vtep: a ping
        ip(udp(vxlan[:7]))                                       # vxlan_short
        ip(udp(b"\\0" + vxlan[1:] + frame))                      # vxlan_no_i_flag
        ip(udp(vxlan + frame))                                   # vxlan_unknown_vni
        """
}
