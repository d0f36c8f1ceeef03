"""Where a command that serves listens, and who stands in front of it."""

import argparse


def add_options(parser: argparse.ArgumentParser, default_port: int) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=port_number, default=default_port, help="port to listen on (%(default)s)"
    )
    parser.add_argument(
        "--proxies",
        type=int,
        default=0,
        help="how many proxies of your own stand in front and add to X-Forwarded-For (%(default)s)",
    )


def port_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is no port; there are 0 to 65535")
    return int(text)
