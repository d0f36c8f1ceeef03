"""Which addresses are the public internet, by a table of our own."""

import ipaddress
import socket

# ipaddress calls some of these global, which of them depends on Python's version: 12 of 28 were
# wrong in 3.11.7. Several hold an IPv4 address inside, so they lead into private networks.
NEVER_PUBLIC = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
]
# The only IPv6 addresses that were ever given out.
GIVEN_OUT = ipaddress.ip_network("2000::/3")


def is_public(address: str) -> bool:
    """False also for what is no address, and for one with a zone (fe80::1%eth0)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if found.version == 6 and found not in GIVEN_OUT:
        return False
    same_version = (network for network in NEVER_PUBLIC if network.version == found.version)
    return found.is_global and not any(found in network for network in same_version)


def is_this_machine(address: str) -> bool:
    """A public address may be our own, and behind it are ports that no firewall guards from us.

    The system says which address it would speak from; nothing is sent.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return probe.getsockname()[0] == address
    except OSError:
        return False
