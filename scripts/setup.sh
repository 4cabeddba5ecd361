# Sourced by the other scripts: installs what is missing on a Debian or Ubuntu machine, saying so.
# Packages that are there already are left alone; on another system it names what is needed and goes on.

build_packages=(
    build-essential cmake nasm clang libclang-dev pkg-config curl git ca-certificates
    libpipewire-0.3-dev libgbm-dev libdrm-dev libegl-dev libwayland-dev libxkbcommon-dev
    libxcb1-dev libxcb-shm0-dev libxcb-randr0-dev libvpx-dev
)
# The window loads these at run time; a desktop has them, a bare machine does not.
run_packages=(libgl1 libegl1 libgl1-mesa-dri libxkbcommon-x11-0 libxcursor1 libxi6 libxrandr2 libx11-xcb1)
test_packages=(
    xvfb xserver-xephyr xdotool openbox dbus x11-utils x11-xserver-utils imagemagick ffmpeg chromium chromium-driver
    # Players and publishers from elsewhere, driven from Python.
    python3 python3-aiortc python3-numpy python3-opencv python3-gi gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0
    gstreamer1.0-nice gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    gstreamer1.0-plugins-ugly gstreamer1.0-libav
)

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# install_missing PACKAGE...
install_missing() {
    if ! command -v apt-get >/dev/null; then
        echo "This is not Debian or Ubuntu: please see that these are installed, under whatever name: $*" >&2
        return 0
    fi
    local missing=() package
    for package in "$@"; do
        # Ubuntu has Chromium as a snap behind a package of another name.
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "Installing what is missing: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_rust() {
    # shellcheck disable=SC1091
    [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
    if ! command -v cargo >/dev/null; then
        echo "Installing Rust for this user, with its own installer (rustup)"
        if apt-cache show rustup >/dev/null 2>&1; then
            install_missing rustup
            rustup default stable
        else
            curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal
            # shellcheck disable=SC1091
            . "$HOME/.cargo/env"
        fi
    fi
    local component
    for component in "$@"; do
        cargo "$component" --version >/dev/null 2>&1 && continue
        echo "Installing cargo $component"
        case $component in
            fmt) rustup component add rustfmt ;;
            *) rustup component add "$component" ;;
        esac
    done
}
