/// Two hosts that exchange streams over several TCP connections at once, and the faults of the wire
/// between their gateways.
enum StreamProgram {
    /// Runs at either host: `SIDE SEED CONNECTIONS BYTES calm|wild`. Each connection carries a
    /// stream both ways; who opens it, over IPv4 or IPv6, goes by its number. What comes is
    /// compared with what the other side was to send, after an end of stream and not a reset.
    /// Prints problems, bytes that came and segments sent again.
    static let text = """
        import json, random, socket, struct, sys, threading, time
        side, seed, count, size = map(int, sys.argv[1:5])
        wild = sys.argv[5] == "wild"
        HOSTS = {socket.AF_INET: "10.1.0.%d", socket.AF_INET6: "fd00::%d"}
        problems, arrived, again = [], [], []

        def stream(number, side):
            chance = random.Random(f"stream {seed} {number} {side}")
            return chance.randbytes(chance.choice((size, size, size, size // 3, 7, 0)))

        def tuned(family, chance):
            link = socket.socket(family)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            segment = chance.choice((None, chance.randint(100 if wild else 800, 1400)))
            window = chance.choice((None, 4096, 16384, 262144)) if wild else 32768
            if segment:
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
            if window:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            if chance.random() < 0.5:
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link.settimeout(15)
            return link

        def connected(number, chance):
            family = list(HOSTS)[number // 2 % 2]
            if number % 2 == side % 2:
                with tuned(family, chance) as listener:
                    listener.bind((HOSTS[family] % side, 7000 + number))
                    listener.listen(1)
                    link = listener.accept()[0]
                    link.settimeout(15)
                    return link
            limit = time.monotonic() + 15
            while True:
                link = tuned(family, chance)
                try:
                    link.connect((HOSTS[family] % (3 - side), 7000 + number))
                    return link
                except ConnectionRefusedError:
                    link.close()
                    if time.monotonic() > limit:
                        raise
                    time.sleep(0.02)

        def write(link, data, chance):
            at = 0
            while at < len(data):
                step = chance.randint(1, chance.choice((10, 1500, 9000, 70000, 300000)))
                link.sendall(data[at:at + step])
                at += step
                if chance.random() < 0.02:
                    time.sleep(chance.random() / 200)
            link.shutdown(socket.SHUT_WR)

        def read(link, number, chance):
            expected, seen = stream(number, 3 - side), bytearray()
            while piece := link.recv(chance.randint(1, 100000)):
                seen += piece
            arrived.append(len(seen))
            if seen != expected:
                pairs = enumerate(zip(seen, expected))
                at = next((i for i, (a, b) in pairs if a != b), min(len(seen), len(expected)))
                problems.append(f"{number}: {len(seen)} of {len(expected)} bytes, from {at} on")

        def guarded(number, action, *words):
            try:
                return action(*words)
            except OSError as error:
                problems.append(f"{number}: {action.__name__}: {error}")

        def talk(number):
            chance = random.Random(f"options {seed} {number} {side}")
            link = guarded(number, connected, number, chance)
            if link is None:
                return
            data = stream(number, side)
            writer = threading.Thread(
                target=guarded, args=(number, write, link, data, random.Random(chance.random())))
            writer.start()
            guarded(number, read, link, number, chance)
            writer.join()
            facts = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            again.append(struct.unpack_from("I", facts, 100)[0])
            link.close()

        talks = [threading.Thread(target=talk, args=(number,)) for number in range(count)]
        for thread in talks:
            thread.start()
        for thread in talks:
            thread.join()
        print(json.dumps({"problems": problems, "bytes": sum(arrived), "again": sum(again)}))
        """

    /// Rules for nft: of a thousand tunnel packets that reach `under` some are lost, of those that
    /// leave by it some are doubled, and some of those that may be are marked as congested.
    static func faults(lost: Int, doubled: Int, marked: Int) -> String {
        """
        table netdev fault {
          chain in {
            type filter hook ingress device "under" priority 0;
            udp dport 4789 numgen random mod 1000 < \(lost) counter drop
          }
          chain out {
            type filter hook egress device "under" priority 0;
            udp dport 4789 ip ecn != not-ect numgen random mod 1000 < \(marked) ip ecn set ce
            udp dport 4789 numgen random mod 1000 < \(doubled) counter dup to "under"
          }
        }

        """
    }
}
