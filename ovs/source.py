# SPDX-License-Identifier: Apache-2.0
"""Finds, checks and unpacks the Open vSwitch source that ovs/UPSTREAM pins.

A source is a directory (a release tree or a git checkout), a Debian
openvswitch-source package file, or, when none is given, whatever obtain()
can find: a package kept from an earlier run, apt's configured suites, testing
or unstable of the configured Debian mirror, and last the upstream git tag.

The machine's own apt set-up is only read.  Other suites are looked up with a
private apt state in a temporary directory that goes away afterwards.
"""

import fnmatch
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

PACKAGE = "openvswitch-source"
SUITES = ("testing", "unstable")

# What a release tarball or Debian's package has beyond upstream's repository,
# or instead of it.  None of it is part of the pinned digest, and all but
# debian/ is made again by autoreconf or make, so none of it is woven either.
GENERATED = """
    Makefile.in aclocal.m4 autom4te.cache/* config.h.in configure package.m4
    build-aux/compile build-aux/config.guess build-aux/config.sub
    build-aux/depcomp build-aux/install-sh build-aux/ltmain.sh
    build-aux/missing build-aux/py-compile
    m4/libtool.m4 m4/lt*.m4
    include/openvswitch/version.h ofproto/ipfix-entities.def
    python/ovs/dirs.py python/ovs/flow/ofp_fields.py python/ovs/version.py
    python/setup.py rhel/openvswitch-fedora.spec
    tests/testsuite tests/*-testsuite
""".split()
UNPINNED = GENERATED + """
    .gitignore */.gitignore .gitattributes */.gitattributes debian/*
    Documentation/_static/logo.png
""".split()

# apt's own hooks are cleared because they act on the machine's own state.
PRIVATE_APT = """\
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "%(top)s/parts";
Dir::State::lists "%(top)s/lists";
Dir::Cache "%(top)s/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::PDiffs "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class Error(Exception):
    """A problem that one line on stderr explains."""


def matches(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def read_pin(path):
    pin = {}
    with open(path) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                key, value = line.split(":", 1)
                pin[key.strip()] = value.strip()
    return pin


def run(*args, **kwargs):
    """Runs a command and returns its output; its stderr is part of the Error
    raised if it fails."""
    try:
        result = subprocess.run(args, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **kwargs)
    except FileNotFoundError:
        raise Error("%s is not installed" % args[0])
    if result.returncode:
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        raise Error("%s: %s" % (args[0], lines[-1] if lines else "failed"))
    return result.stdout.decode(errors="replace")


def sha256_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def tree_files(top):
    """Returns the sorted paths, relative to 'top', of the files in 'top': of
    those that git knows if 'top' is a checkout."""
    if os.path.exists(os.path.join(top, ".git")):
        names = run("git", "-C", top, "ls-files", "-z").split("\0")[:-1]
        return sorted(name for name in names
                      if os.path.exists(os.path.join(top, name)))
    names = []
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name != ".git"]
        names += [os.path.relpath(os.path.join(folder, name), top)
                  for name in files]
    return sorted(names)


def digest_tree(top):
    """Returns the SHA-256 over names and contents of upstream's own files in
    'top', the same for a checkout of the release and for Debian's package."""
    digest = hashlib.sha256()
    for name in tree_files(top):
        if not matches(name, UNPINNED):
            digest.update(("%s  %s\n" % (
                sha256_file(os.path.join(top, name)), name)).encode())
    return digest.hexdigest()


def tree_version(top):
    """Returns the version that configure.ac in 'top' declares, or None."""
    try:
        with open(os.path.join(top, "configure.ac")) as f:
            match = re.search(r"AC_INIT\(\[?openvswitch\]?, *\[?([^],]+)",
                              f.read())
    except OSError:
        return None
    return match and match.group(1)


def unpack_deb(deb, scratch):
    top = os.path.join(scratch, "deb")
    run("dpkg-deb", "-x", deb, top)
    tree = os.path.join(top, "usr/src/openvswitch")
    if not os.path.isdir(tree):
        raise Error("%s: no usr/src/openvswitch inside" % deb)
    return tree


def open_source(source, pin, any_release, scratch):
    """Returns a directory with the source that 'source' names, once it has
    been found to be what 'pin' demands."""
    wanted = pin["version"]
    if os.path.isdir(source):
        tree = source
    elif os.path.isfile(source):
        tree = unpack_deb(source, scratch)
    else:
        raise Error("%s: no such directory or package file" % source)
    version = tree_version(tree)
    if version is None:
        raise Error("%s: not an Open vSwitch source tree" % source)
    release = ".".join(wanted.split(".")[:2])
    if not version.startswith(release + "."):
        raise Error("%s: is Open vSwitch %s, but Weft needs %s.x"
                    % (source, version, release))
    if not any_release and digest_tree(tree) != pin["tree-sha256"]:
        raise Error("%s: Open vSwitch %s with other contents than the pinned "
                    "%s (ovs/UPSTREAM); --any-%s uses it all the same"
                    % (source, version, wanted, release))
    return tree


def apt_entries():
    """Yields (uri, suites, components, signed_by) for each "deb" entry of the
    machine's apt sources, in either of the two formats."""
    etc = run("apt-config", "shell", "list", "Dir::Etc::sourcelist/f",
              "parts", "Dir::Etc::sourceparts/d")
    where = dict(re.findall(r"^(\w+)='(.*)'$", etc, re.M))
    lists = [where.get("list", "/etc/apt/sources.list")]
    parts = where.get("parts", "/etc/apt/sources.list.d")
    lists += sorted(glob.glob(os.path.join(parts, "*.list")))
    for name in lists:
        for line in read_lines(name):
            match = re.match(r"deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s*(.*)",
                             line.split("#")[0])
            if match:
                options = re.search(r"signed-by=(\S+)", match.group(1) or "",
                                    re.I)
                yield (match.group(2), [match.group(3)],
                       match.group(4).split(), options and options.group(1))
    for name in sorted(glob.glob(os.path.join(parts, "*.sources"))):
        text = "\n".join(line for line in read_lines(name)
                         if not line.startswith("#"))
        for stanza in re.split(r"\n\s*\n", text):
            fields = {key.lower(): value.strip() for key, value in re.findall(
                r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.M)}
            if ("deb" in fields.get("types", "").split()
                    and fields.get("enabled", "yes").lower() != "no"):
                for uri in fields.get("uris", "").split():
                    yield (uri, fields.get("suites", "").split(),
                           fields.get("components", "").split(),
                           fields.get("signed-by"))


def read_lines(name):
    try:
        with open(name, errors="replace") as f:
            return f.read().splitlines()
    except OSError:
        return []


def debian_mirrors():
    """Returns the (uri, signed_by) of the apt sources that carry a release of
    Debian itself, so that its other suites can be expected there too."""
    codenames = {"stable", "oldstable", "testing", "unstable", "sid"}
    for line in read_lines("/etc/os-release"):
        if line.startswith("VERSION_CODENAME="):
            codenames.add(line.split("=", 1)[1].strip("\"'"))
    mirrors = []
    for uri, suites, components, signed_by in apt_entries():
        if ("main" in components and codenames & set(suites)
                and (uri, signed_by) not in mirrors):
            mirrors.append((uri, signed_by))
    return mirrors


def wanted_version(candidates, pin):
    """Picks, from the package versions 'candidates', the pinned one if it is
    among them, else one of the same upstream version, else None."""
    exact = pin["deb"].split("_")[1]
    same = [v for v in candidates
            if re.sub(r"^\d+:", "", v).rsplit("-", 1)[0] == pin["version"]]
    return exact if exact in same else (same[0] if same else None)


def apt_download(options, pin, scratch):
    """Downloads the package with apt under 'options'; returns its file name,
    or None if none of the suites has the version."""
    madison = run("apt-cache", *options, "madison", PACKAGE)
    candidates = [line.split("|")[1].strip()
                  for line in madison.splitlines() if line.count("|") == 2]
    version = wanted_version(candidates, pin)
    if not version:
        return None
    folder = tempfile.mkdtemp(dir=scratch)
    run("apt-get", "-q", *options, "-o", "APT::Sandbox::User=root",
        "download", "%s=%s" % (PACKAGE, version), cwd=folder)
    return glob.glob(os.path.join(folder, "*.deb"))[0]


def private_apt(uri, signed_by, suite, scratch):
    """Returns apt options for 'suite' of the mirror 'uri' with state, cache
    and sources of their own, after an update."""
    top = tempfile.mkdtemp(dir=scratch)
    for folder in ("lists/partial", "cache/archives/partial", "parts"):
        os.makedirs(os.path.join(top, folder))
    stanza = "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n" % (
        uri, suite)
    if signed_by:
        stanza += "Signed-By: %s\n" % signed_by
    with open(os.path.join(top, "parts", "weft.sources"), "w") as f:
        f.write(stanza)
    conf = os.path.join(top, "apt.conf")
    with open(conf, "w") as f:
        f.write(PRIVATE_APT % {"top": top})
    options = ["-c", conf]
    run("apt-get", "-q", *options, "update", "--error-on=any")
    return options


def obtain_with_apt(pin, scratch, log, problems):
    """Returns the package file name, or None with the reasons appended to
    'problems'."""
    if not shutil.which("apt-get"):
        problems.append("apt is not installed")
        return None

    def attempt(what, get_options):
        log("looking for %s %s in %s" % (PACKAGE, pin["version"], what))
        try:
            deb = apt_download(get_options(), pin, scratch)
            if deb:
                return deb
            problems.append("not in %s" % what)
        except Error as e:
            problems.append("%s: %s" % (what, e))
        return None

    deb = attempt("the configured suites", lambda: [])
    if deb:
        return deb
    for uri, signed_by in debian_mirrors():
        for suite in SUITES:
            deb = attempt("%s of %s" % (suite, uri),
                          lambda: private_apt(uri, signed_by, suite, scratch))
            if deb:
                return deb
    return None


def obtain(pin, cache, scratch, log):
    """Returns the name of a package file or directory with the pinned release,
    from 'cache' or from the network; keeps a package it gets in 'cache'."""
    kept = os.path.join(cache, pin["deb"])
    if os.path.exists(kept):
        if sha256_file(kept) == pin["deb-sha256"]:
            return kept
        log("%s: SHA-256 is not the pinned one, ignored" % kept)

    problems = []
    deb = obtain_with_apt(pin, scratch, log, problems)
    if deb:
        if os.path.basename(deb) != pin["deb"]:
            log("%s instead of the pinned %s: the tree's digest decides"
                % (os.path.basename(deb), pin["deb"]))
        elif sha256_file(deb) != pin["deb-sha256"]:
            raise Error("%s from apt: SHA-256 is not the one in ovs/UPSTREAM"
                        % pin["deb"])
        os.makedirs(cache, exist_ok=True)
        return shutil.move(deb, os.path.join(cache, os.path.basename(deb)))

    log("cloning %s of %s" % (pin["tag"], pin["git"]))
    clone = os.path.join(scratch, "git")
    try:
        run("git", "-c", "advice.detachedHead=false", "clone", "-q",
            "--depth", "1", "--branch", pin["tag"], pin["git"], clone)
        return clone
    except Error as e:
        problems.append("%s: %s" % (pin["git"], e))
    raise Error("cannot get Open vSwitch %s (%s); give a source tree or "
                "package file with WEFT_OVS_SOURCE"
                % (pin["version"], "; ".join(problems)))


def copy_tree(tree, target):
    """Copies what is to be woven of 'tree' into the new directory 'target',
    modification times included."""
    for name in tree_files(tree):
        if not matches(name, GENERATED):
            path = os.path.join(target, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy2(os.path.join(tree, name), path,
                         follow_symlinks=False)


def warn(message):
    print("weave: %s" % message, file=sys.stderr, flush=True)
