"""A Debian mirror and its tools in a folder: ``apt-get``, ``dpkg`` and ``dpkg-deb`` as small scripts.

What they do can be changed by files in the folder ``orders``: ``fail-update`` and ``fail-download`` (what to print
before failing), ``fail-unpack`` (the same, for the package named in its first line), ``hang-download`` (wait for ever
after half of the packages).
"""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

APT = r"""#!/bin/sh
world=@WORLD@
echo "$*" >> "$world/log"
case "$*" in
  "update --print-uris") cat "$world/mirrors"; exit 0;;
esac
conf=$2
archives=$(sed -n 's/^Dir::Cache::archives "\(.*\)";/\1/p' "$conf")
fd=$(echo "$*" | sed -n 's/.*APT::Status-Fd=\([0-9]*\).*/\1/p')
case "$*" in
  *" update "*)
    grep '^URIs' "$(dirname "$conf")/etc/acd.sources" >> "$world/asked"
    if [ -f "$world/orders/fail-update" ]; then cat "$world/orders/fail-update" >&2; exit 100; fi;;
  *--print-uris*)
    for deb in "$world"/debs/*.deb; do
      echo "'http://mirror.invalid/debian/pool/$(basename "$deb")' $(basename "$deb") $(stat -c %s "$deb") SHA256:0"
    done;;
  *)
    number=0
    for deb in "$world"/debs/*.deb; do
      if [ ! -f "$archives/$(basename "$deb")" ]; then
        cp "$deb" "$archives/"
        echo "got $(basename "$deb")" >> "$world/log"
      fi
      number=$((number + 1))
      echo "dlstatus:$number:$((number * 100 / 4)).0:Retrieving" > "/proc/self/fd/$fd"
      if [ $number = 2 ] && [ -f "$world/orders/fail-download" ]; then cat "$world/orders/fail-download"; exit 100; fi
      if [ $number = 2 ] && [ -f "$world/orders/hang-download" ]; then touch "$world/hanging"; exec sleep 600; fi
    done;;
esac
"""

DPKG_DEB = r"""#!/bin/sh
world=@WORLD@
order="$world/orders/fail-unpack"
if [ -f "$order" ] && [ "$(basename "$2")" = "$(head -1 "$order")" ]; then sed 1d "$order" >&2; exit 2; fi
tar -xf "$2" -C "$3"
"""

# Instead of the dynamic loader: answers as the program would that it is asked to run.
LOADER = """#!/bin/sh
case "$*" in
  *usr/sbin/asterisk*) echo "Asterisk 22.10.1+dfsg";;
  *usr/bin/sipp*) echo "SIPp v3.8.0-TLS-PCAP.";;
  *usr/bin/espeak-ng*) echo " 5  cmn  --/M";;
esac
"""


class FakeDebian:
    """The folder; ``env`` is an environment in which its tools are found first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        for name in ("bin", "debs", "orders"):
            (folder / name).mkdir(parents=True)
        self.mirrors("http://mirror.invalid/debian")
        self._script("apt-get", APT)
        self._script("dpkg-deb", DPKG_DEB)
        self._script("dpkg", "#!/bin/sh\necho amd64\n")
        loader = {"usr/lib64/ld-linux-x86-64.so.2": LOADER, "usr/lib/x86_64-linux-gnu/libc.so.6": "lib"}
        self.package("libc6_2.43_amd64.deb", loader)
        self.package("asterisk_22_amd64.deb", {"usr/sbin/asterisk": "x", "usr/share/doc/asterisk/README": "x"})
        self.package(
            "asterisk-core-sounds-en-gsm_1_all.deb",
            {"usr/share/asterisk/sounds/en_US_f_Allison/beep.gsm": "x", "usr/share/asterisk/moh/song.gsm": "x"},
        )
        self.package("python3_3.14_amd64.deb", {"usr/bin/python3": "x"})

    @property
    def env(self) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{os.defpath}"
        return {"PATH": path, "ACD_CACHE_HOME": str(self.cache), "HOME": str(self.folder)}

    @property
    def home(self) -> Path:
        """The cache folder of this suite and architecture."""
        return self.cache / "asterisk-sid-amd64"

    def mirrors(self, *bases: str) -> None:
        lines = [f"'{base}/dists/bookworm/InRelease' x_InRelease 0 \n" for base in bases]
        (self.folder / "mirrors").write_text("".join(lines))

    def order(self, name: str, text: str = "") -> None:
        (self.folder / "orders" / name).write_text(text)

    def forget_orders(self) -> None:
        for order in (self.folder / "orders").iterdir():
            order.unlink()

    def downloads(self) -> list[str]:
        """The packages that were downloaded, in order, repetitions too."""
        log = (self.folder / "log").read_text().splitlines()
        return [line.removeprefix("got ") for line in log if line.startswith("got ")]

    def package(self, name: str, files: dict[str, str]) -> None:
        with tarfile.open(self.folder / "debs" / name, "w") as archive:
            for path, text in files.items():
                entry = tarfile.TarInfo(path)
                entry.size = len(text)
                entry.mode = 0o755
                archive.addfile(entry, io.BytesIO(text.encode()))

    def _script(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text.replace("@WORLD@", str(self.folder)))
        path.chmod(0o755)
