dnl SPDX-License-Identifier: Apache-2.0

dnl WEFT_CHECKS
dnl
dnl Everything that our files need and that may not be there.
AC_DEFUN([WEFT_CHECKS], [
  WEFT_CHECK_KERN
  WEFT_CHECK_SCREEN
  WEFT_CHECK_EXPORTER
])

dnl WEFT_CHECK_SCREEN
dnl
dnl Checks for what "ovs-fabric top" shows a live view with: ncurses for wide
dnl characters.  Without, it only prints.
AC_DEFUN([WEFT_CHECK_SCREEN], [
  AC_ARG_WITH(
    [ncurses],
    [AS_HELP_STRING([--without-ncurses],
                    [Leave out the live view of ovs-fabric])],
    [], [with_ncurses=auto])
  have_fabric_screen=no
  if test "$with_ncurses" != no; then
    PKG_CHECK_MODULES([NCURSES], [ncursesw >= 6],
      [have_fabric_screen=yes],
      [if test "$with_ncurses" = yes; then
         AC_MSG_ERROR([--with-ncurses needs ncursesw (libncurses-dev)])
       fi
       AC_MSG_WARN([no live view in ovs-fabric without ncursesw])])
  fi
  AM_CONDITIONAL([HAVE_FABRIC_SCREEN], [test "$have_fabric_screen" = yes])
])

dnl WEFT_CHECK_EXPORTER
dnl
dnl Checks for what ovs-fabric-exporter serves HTTP with.  Without, it is not
dnl built.
AC_DEFUN([WEFT_CHECK_EXPORTER], [
  AC_ARG_WITH(
    [microhttpd],
    [AS_HELP_STRING([--without-microhttpd],
                    [Leave out ovs-fabric-exporter])],
    [], [with_microhttpd=auto])
  have_fabric_exporter=no
  if test "$with_microhttpd" != no; then
    PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.71],
      [have_fabric_exporter=yes],
      [if test "$with_microhttpd" = yes; then
         AC_MSG_ERROR([--with-microhttpd needs libmicrohttpd])
       fi
       AC_MSG_WARN([no ovs-fabric-exporter without libmicrohttpd])])
  fi
  AM_CONDITIONAL([HAVE_FABRIC_EXPORTER],
                 [test "$have_fabric_exporter" = yes])
])

dnl WEFT_CHECK_KERN
dnl
dnl Checks for what the kernel's fast path needs: clang to compile the BPF
dnl programs, bpftool to make a header of them, libbpf to load them.  Without,
dnl the userspace path forwards everything.
AC_DEFUN([WEFT_CHECK_KERN], [
  AC_ARG_ENABLE(
    [fabric-kern],
    [AS_HELP_STRING([--disable-fabric-kern],
                    [Leave out the fabric's fast path in the kernel])],
    [], [enable_fabric_kern=auto])
  AC_ARG_VAR([CLANG], [compiler for BPF programs])
  AC_CHECK_PROGS([CLANG], [clang clang-19 clang-17 clang-16 clang-14])
  AC_PATH_PROG([BPFTOOL], [bpftool], [], [$PATH:/usr/sbin:/sbin])

  fabric_kern_missing=
  if test "$enable_fabric_kern" != no; then
    fabric_kern_libs=$LIBS
    test -n "$CLANG" || fabric_kern_missing=clang
    test -n "$BPFTOOL" || fabric_kern_missing=bpftool
    AC_CHECK_HEADER([bpf/bpf_helpers.h], [], [fabric_kern_missing=libbpf])
    AC_SEARCH_LIBS([bpf_tc_attach], [bpf], [], [fabric_kern_missing=libbpf])
    if test -n "$fabric_kern_missing"; then
      LIBS=$fabric_kern_libs
      if test "$enable_fabric_kern" = yes; then
        AC_MSG_ERROR([--enable-fabric-kern needs $fabric_kern_missing])
      fi
      AC_MSG_WARN([no fast path in the kernel without $fabric_kern_missing])
      enable_fabric_kern=no
    else
      enable_fabric_kern=yes
    fi
  fi
  if test "$enable_fabric_kern" = yes; then
    AC_DEFINE([HAVE_FABRIC_KERN], [1],
              [Define to 1 if the fabric's fast path in the kernel is built.])
  fi
  AM_CONDITIONAL([HAVE_FABRIC_KERN], [test "$enable_fabric_kern" = yes])
])
