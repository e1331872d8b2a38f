"""A lab of 500 machines: made hives, copied, with oddities planted into them."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import hives
from hives import CONFIG, SERVICES, SOFTWARE

# Times of the BITS keys, 100 ns apart. The hive itself was last written on 2012-03-20.
FIRST, SECOND = "2011-03-02T06:27:55.0937501Z", "2011-03-02T06:27:55.0937502Z"
LAST_BUT_ONE, LAST = "2012-03-19T23:59:59.9999998Z", "2012-03-19T23:59:59.9999999Z"
DISABLED = "dword:00000004"


def numbered(prefix, numbers):
    return [f"{prefix}-{number:03}" for number in numbers]


class Lab:
    """Machines, and what was planted in them. Windows XP machines are listed without a label."""

    def __init__(self, folder):
        self.list = folder / "machines.list"
        self.answers = folder / "answers"
        self.folders = {}
        self.planted = {}
        self.machines = folder / "machines"
        self.templates = folder / "templates"

    def make(self, make_evidence):
        cases = ["windows-xp", "windows-7", "windows-10", "windows-nt4"]
        subprocess.run([make_evidence, self.templates, *cases], check=True, capture_output=True)
        # All Windows 10 machines have the same WSUS server, and each has a host name of its own.
        policy = r"Policies\Microsoft\Windows\WindowsUpdate"
        server = '"WUServer"="http://wsus.example.test:8530"'
        hives.merge(self.templates / "windows-10", hives.key_below(SOFTWARE, policy, server))
        for prefix, template, count in (("XP", "windows-xp", 200), ("W7", "windows-7", 200), ("W10", "windows-10", 97)):
            for name in numbered(prefix, range(1, count + 1)):
                self.copy(name, template)
        with ThreadPoolExecutor() as pool:
            names = numbered("W10", range(1, 98))
            list(
                pool.map(
                    lambda name: self.merge(name, hives.service(r"Tcpip\Parameters", "Hostname", f'"{name}"')), names
                )
            )
        self.plant_deviations()
        self.plant_times()
        self.plant_gaps()
        self.write_list()

    def copy(self, name, template):
        self.folders[name] = self.machines / name
        shutil.copytree(self.templates / template, self.folders[name])

    def merge(self, name, text):
        hives.merge(self.folders[name], text)

    def plant(self, what, names, text):
        self.planted[what] = list(names)
        for name in names:
            self.merge(name, text)

    def plant_deviations(self):
        senslogn = rf"{SOFTWARE}\Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn"
        self.plant("shutdown", numbered("XP", (10, 90, 170)), f'[{senslogn}]\n"Shutdown"="SensStopEvent"\n\n')
        # Five of 200 are more than 2 %: wrong, but not odd.
        self.plant("logoff", numbered("XP", range(20, 25)), f'[{senslogn}]\n"Logoff"="SensNothing"\n\n')
        # A key with all its values: one deviation.
        self.plant("no key", numbered("XP", (61, 62)), f"[-{senslogn}]\n\n")
        bits = hives.service("BITS", "Start", DISABLED)
        others = hives.service("SENS", "Start", DISABLED) + hives.service("wuauserv", "Start", DISABLED)
        self.plant("bits", numbered("W7", range(1, 35)), bits)
        self.plant("bits, SENS and wuauserv", numbered("W7", range(100, 124, 4)), bits + others)
        dll = hives.expandable(r"C:\Users\Public\w.dll")
        self.plant("hijacked", ["W10-077"], f'[{SERVICES}\\wuauserv\\Parameters]\n"ServiceDll"={dll}\n\n')
        policy = rf"{SOFTWARE}\Policies\Microsoft\Windows\WindowsUpdate"
        self.plant("wsus", ["W10-012"], f'[{policy}]\n"WUServer"="http://203.0.113.9:8530"\n\n')
        # The owner's choice: severity info.
        self.plant("no access", ["W10-033"], f'[{policy}]\n"DisableWindowsUpdateAccess"=dword:00000001\n\n')

    def plant_times(self):
        names = self.planted["bits"] + self.planted["bits, SENS and wuauserv"]
        times = {name: f"2011-06-15T12:{index:02}:00.0000001Z" for index, name in enumerate(names)}
        times |= {"W7-020": FIRST, "W7-003": SECOND, "W7-031": LAST_BUT_ONE, "W7-104": LAST}
        # No Windows wrote this time. hivemend reports such a time as a deviation of its own.
        times["W7-009"] = "1601-01-01T00:00:00.0000001Z"
        self.planted["impossible time"] = ["W7-009"]
        hives.set_key_times({self.folders[name]: time for name, time in times.items()}, r"ControlSet001\Services\BITS")

    def plant_gaps(self):
        self.planted["without SOFTWARE"] = ["XP-040", "W10-040"]
        for name in self.planted["without SOFTWARE"]:
            (self.folders[name] / CONFIG / "SOFTWARE").unlink()
        self.planted["SYSTEM is cut off"] = ["XP-041", "W7-141"]
        for name in self.planted["SYSTEM is cut off"]:
            hive = self.folders[name] / CONFIG / "SYSTEM"
            hive.write_bytes(hive.read_bytes()[:9000])
        self.planted["wiped"] = ["W7-150"]
        for hive in ("SOFTWARE", "SYSTEM"):
            (self.folders["W7-150"] / CONFIG / hive).write_text("The disk was wiped.\n")
        self.copy("NT4-001", "windows-nt4")
        self.planted["unknown Windows"] = ["NT4-001"]
        self.planted["gone"] = ["GONE-001", "GONE-002"]
        self.folders |= {name: self.machines / name for name in self.planted["gone"]}

    def write_list(self):
        """Writes paths and JSON lines, in an order that mixes the Windows."""
        self.order = sorted(self.folders, key=lambda name: name[::-1])
        lines = [
            str(self.folders[name])
            if name.startswith("XP")
            else json.dumps({"path": str(self.folders[name]), "label": name})
            for name in self.order
        ]
        self.list.write_text("\n".join(lines))

    def called(self, name):
        """Returns the machine as the answers call it: its label, or the path of its evidence."""
        return str(self.folders[name] / CONFIG) if name.startswith("XP") else name

    def which(self, *whats):
        """Returns the machines with something planted, sorted, as the answers call them."""
        return sorted(self.called(name) for what in whats for name in self.planted[what])
