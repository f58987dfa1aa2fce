#!/bin/sh
# The attacks under another kernel: Debian 12's own, in a machine that is emulated.
#   tests/escape/qemu.sh BUILD
# KERNEL=FILE takes another (a bzImage); else Debian's cloud kernel is downloaded, once, into BUILD/qemu.
# What runs there lies in one initramfs: busybox, the tests, their engines, and the libraries that they are
# linked with. TESTS='NAME...' says which of them run; escape-walls is the table wall by wall, which takes an
# hour where nothing helps to emulate (ACCELERATOR=kvm does). Where qemu or busybox is missing nothing is tried, and it says so.
set -eu
build=$(realpath "$1")
for program in qemu-system-x86_64 busybox cpio; do
    command -v $program >/dev/null || {
        echo "skipped: $program is not installed: apt-get install qemu-system-x86 busybox-static cpio"
        exit 0
    }
done
place="$build/qemu"
mkdir -p "$place"
kernel=${KERNEL:-}
if [ -z "$kernel" ]; then
    kernel=$(find "$place" -name 'vmlinuz-*' | head -n 1)
    if [ -z "$kernel" ]; then
        image=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
        (cd "$place" && ls ./"$image"_*.deb >/dev/null 2>&1 || { cd "$place" && apt-get download "$image" >/dev/null; })
        dpkg-deb --fsys-tarfile "$place/$image"_*.deb | tar -x -C "$place" --strip-components=2 --wildcards './boot/vmlinuz-*'
        kernel=$(find "$place" -name 'vmlinuz-*' | head -n 1)
    fi
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/run" "$root/usr/bin" "$root/t/host" "$root/t/cell" "$root/etc"
cp "$(command -v busybox)" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
for test in escape sweep live_walls live_refusals live_directories; do
    cp "$build/test/host/$test" "$root/t/host/"
    ldd "$build/test/host/$test" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^\//) print $i }'
done | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
cp "$build/test/cell/attacker" "$build/test/cell/engine" "$build/test/cell/ended" "$root/t/cell/"
strip "$root"/t/host/* "$root"/t/cell/* 2>/dev/null || true
echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
cat >"$root/init" <<'INIT'
#!/bin/sh
busybox mount -t proc none /proc
busybox mount -t sysfs none /sys
busybox mount -t devtmpfs none /dev
busybox mount -t tmpfs none /tmp
busybox mount -t tmpfs none /run
busybox ip link set lo up
busybox uname -a
echo "Landlock and others: $(busybox cat /sys/kernel/security/lsm 2>/dev/null)"
# A pivot is not made out of an initramfs: all of this once more in a tmpfs.
busybox mkdir /new && busybox mount -t tmpfs none /new
busybox cp -a /bin /lib* /usr /t /etc /new/ && busybox mkdir /new/proc /new/sys /new/dev /new/tmp /new/run
for folder in proc sys dev tmp run; do busybox mount --move /$folder /new/$folder; done
cat >/new/go <<'GO'
#!/bin/sh
export PATH=/bin
for test in $TESTS; do
    echo "== $test"
    case $test in
    escape-walls) /t/host/escape --walls ;;
    *) /t/host/$test ;;
    esac
    echo "== $test ended with $?"
done
busybox poweroff -f
GO
busybox chmod +x /new/go
exec busybox switch_root /new /go
INIT
sed -i 's/^cat >/busybox cat >/' "$root/init"
sed -i "s|\$TESTS|${TESTS:-escape live_refusals live_walls live_directories}|" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$place/initramfs"

log="$place/log"
timeout "${SECONDS_ALLOWED:-1800}" qemu-system-x86_64 -accel "${ACCELERATOR:-tcg,thread=multi}" -cpu max -smp 2 -m 1536 -nographic -no-reboot \
    -kernel "$kernel" -initrd "$place/initramfs" \
    -append "console=ttyS0 quiet panic=-1 no_timer_check lsm=landlock,lockdown,capability" </dev/null 2>&1 |
    tr -d '\r' | tee "$log" | sed -n '/Linux (none)/,$p'
said() { grep -q "$1" "$log"; }
! said 'ended with [1-9]' && said 'ended with 0' && said 'Power down' &&
    case " ${TESTS:-escape} " in *' escape '*) said '^[0-9]* attacks, .* 0 open$' ;; esac
