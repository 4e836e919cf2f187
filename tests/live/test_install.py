"""make install puts it where `.load` finds it, or says how; make uninstall leaves nothing."""
import os
import shutil
import subprocess
import unittest

from harness import ROOT, TempDir, clean_env, shell


def make(*args):
    return subprocess.run(["make", "-s", *args], cwd=ROOT, capture_output=True, text=True, env=clean_env())


class Install(unittest.TestCase):
    def test_into_a_folder_of_ones_own(self):
        """Where no ldconfig looks: the line that is printed loads it."""
        with TempDir() as tmp:
            prefix = os.path.join(tmp, "usr")
            out = make("install", f"PREFIX={prefix}")
            self.assertEqual(out.returncode, 0, out.stderr)
            line = [l for l in out.stdout.splitlines() if l.startswith("installed: ")][0]
            load = line.removeprefix("installed: ").split("    ")[0]
            run = shell(":memory:", f"{load}\nSELECT llmcost_version() IS NOT NULL;")
            self.assertEqual((run.stdout, run.stderr), ("1\n", ""), line)
            has_weights = os.path.exists(os.path.join(ROOT, "minilm.bin"))
            self.assertEqual(os.path.exists(f"{prefix}/lib/sqlite3/minilm.bin"), has_weights)
            self.assertTrue(os.path.exists(f"{prefix}/include/llmcost.h"))
            self.assertEqual(make("uninstall", f"PREFIX={prefix}").returncode, 0)
            left = [os.path.join(folder, f) for folder, _, files in os.walk(prefix) for f in files]
            self.assertEqual(left, [])

    def test_a_prefix_with_a_blank(self):
        with TempDir() as tmp:
            keep = os.path.join(tmp, "keep")
            open(keep, "w").close()
            prefix = keep + " me"
            out = make("install", f"PREFIX={prefix}")
            self.assertEqual(out.returncode, 0, out.stderr)
            load = out.stdout.split("installed: ")[1].split("    (")[0]
            self.assertEqual(shell(":memory:", f"{load}\nSELECT llmcost_version() IS NOT NULL;").stdout, "1\n", load)
            self.assertEqual(make("uninstall", f"PREFIX={prefix}").returncode, 0)
            self.assertEqual([f for _, _, files in os.walk(prefix) for f in files], [])
            self.assertTrue(os.path.exists(keep))

    def test_weights_are_found_beside_an_installed_library(self):
        """The name that is loaded is a link to it."""
        with TempDir() as tmp:
            os.makedirs(f"{tmp}/lib/sqlite3")
            shutil.copy(os.path.join(ROOT, "llmcost.so"), f"{tmp}/lib/sqlite3/llmcost.so")
            with open(f"{tmp}/lib/sqlite3/minilm.bin", "w") as f:
                f.write("not weights")
            os.symlink("sqlite3/llmcost.so", f"{tmp}/lib/llmcost.so")
            run = shell(":memory:", f".load {tmp}/lib/llmcost\nSELECT embed('x', 'minilm');")
            self.assertIn(f"{tmp}/lib/sqlite3/minilm.bin", run.stderr)

    def test_a_package_is_staged(self):
        with TempDir() as tmp:
            self.assertEqual(make("install", f"DESTDIR={tmp}", "PREFIX=/usr").returncode, 0)
            self.assertTrue(os.path.exists(f"{tmp}/usr/lib/sqlite3/llmcost.so"))
            self.assertTrue(os.path.islink(f"{tmp}/usr/lib/libllmcost-ext.so"))


if __name__ == "__main__":
    unittest.main()
