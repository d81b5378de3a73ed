# The front door. Everything that is here only calls scripts/ and build/axvm.
ISA ?= aarch64
VM ?= configs/linux-$(ISA).toml

.PHONY: help run test build bench check guests setup clean
.DEFAULT_GOAL := help

help:
	@echo 'make run [ISA=aarch64] [VM=configs/linux-<isa>.toml]'
	@echo '                  boot a VM under the hypervisor, in QEMU, console on this terminal'
	@echo 'make test         all tests; ends with "N passed, M failed, K skipped"'
	@echo 'make build [ISA=aarch64]   the tool (build/axvm), the library and the hypervisor'
	@echo 'make bench [ISA=aarch64]   exit costs in instructions, against their budgets'
	@echo 'make check        the fast gates: style, purity of arch/, exported names'
	@echo 'make guests       fetch the kernels of Debian and make the initramfs files'
	@echo 'make setup        install the packages that are missing (Debian 12 and 13, Ubuntu 24.04)'
	@echo 'make clean        remove what was built; fetched packages stay'
	@echo
	@echo 'ISA is aarch64, riscv64 or x86_64. Everything needed is installed, fetched and built first.'

setup:
	@scripts/setup.sh
	@scripts/sources.sh

guests: setup
	@scripts/guests.sh

build: setup
	@scripts/build.sh host tools/axvm/axvm
	@scripts/build.sh $(ISA)

run: build
	@scripts/guests.sh $(ISA)
	@build/axvm run --isa $(ISA) $(VM)

test: setup
	@scripts/guests.sh
	@scripts/test.sh

bench: build
	@scripts/guests.sh $(ISA)
	@scripts/bench.sh $(ISA)

check:
	@scripts/setup.sh --checks
	@scripts/sources.sh
	@scripts/check.sh

clean:
	rm -rf build/host* build/aarch64* build/riscv64* build/x86_64* build/axvm
