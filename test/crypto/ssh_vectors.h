// What OpenSSH 9.2p1 (Debian 12) made, on keys made for these tests:
//   ssh-keygen -t ed25519 -N '' -C ada@example.net -f id
//   printf 'DSSEv1 3 abc 5 hello' > msg; ssh-keygen -Y sign -f id -n mig [-O hashalg=sha256] msg
#pragma once

#include <string_view>

namespace mig::ssh_vectors {

inline constexpr std::string_view kMessage = "DSSEv1 3 abc 5 hello";

inline constexpr std::string_view kPublicLine =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJlisLPlV8MistC0WeHhQHXPb9UKrPUZSFE0t6xErNou "
    "ada@example.net\n";
// ssh-keygen -l -f id.pub
inline constexpr std::string_view kFingerprint =
    "SHA256:QDHAmu2p78gQG3LBRZs6+KZ8x6OPqXqG8sn1fsjUk5Q";

inline constexpr std::string_view kSha512 =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgmWKws+VXwyKy0LRZ4eFAdc9v1Q\n"
    "qs9RlIUTS3rESs2i4AAAADbWlnAAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5\n"
    "AAAAQFkpmPz7a9b1l4WqFuiBXAWNTxkzyzujd0BLbXtZpyZFZP67cxmTjYhDSHhGQ8SMhA\n"
    "GQdlZ/vYMxfsnVMLqfEQg=\n"
    "-----END SSH SIGNATURE-----\n";
inline constexpr std::string_view kSha256 =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgmWKws+VXwyKy0LRZ4eFAdc9v1Q\n"
    "qs9RlIUTS3rESs2i4AAAADbWlnAAAAAAAAAAZzaGEyNTYAAABTAAAAC3NzaC1lZDI1NTE5\n"
    "AAAAQJIB5aGI3gXM7C+Lzl/blCZ2IxvPYxb9qTs0C/RkYFj9mes/OT9629sXddb18u2RwL\n"
    "5Pyen0FYu6iQmgxw2rOwA=\n"
    "-----END SSH SIGNATURE-----\n";
// The same with -n file.
inline constexpr std::string_view kOtherNamespace =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgmWKws+VXwyKy0LRZ4eFAdc9v1Q\n"
    "qs9RlIUTS3rESs2i4AAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx\n"
    "OQAAAEAVX0xseSFG+rGrJuPEifB+xX2dsz8/0Rcx9yiN2MOqBHFAPiHZYoJUEa8x8ZRr14\n"
    "yscI/g9snksC8wGa3uz3kD\n"
    "-----END SSH SIGNATURE-----\n";
// The same with -n mig by a key of ssh-keygen -t rsa -b 3072.
inline constexpr std::string_view kRsa =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAZcAAAAHc3NoLXJzYQAAAAMBAAEAAAGBAK7pa56nvGDTxbtYCjRNeV\n"
    "+XciijDAF/Hb0n4F14pcHD2S+zykpUiJPZTjw3B+in2b1lSySqD/75INdn6mlb7PSk9bqF\n"
    "qTh0qAL2+kd1OUP39rVy3r3DwK+WirlEQuC0bS63F++ZUkWcziU1YQnCq+FbtOsNixo0r5\n"
    "2x49CLietrTgzw9ERbQraM14z4Ldsha/IF3WSlzZkJzTVRgCK3gl3qVybeZI5QR+wXYxX7\n"
    "25SnTYwQqOF8fXVj96T00BbQdoodIQCZmVDvJbZ0daAtmW9gtwmkZCirGQx0SW5mdH3wib\n"
    "unAirjoYZQ93bGFBebnsrqPMoffxtxfVfnYS0HtqL9GwagO8ZcyLjukrxO6MSR7fllQT8f\n"
    "0pheqD1c7P+/hOvPsPlm8DNE1rXJatiba5knHPFgs/ajr0/4Z3jIbc2eyl4wkwFFRKRwcc\n"
    "i3WT9XfMwftJu8cOkptIAwK9XLNxpUxPSOXRjprewtvP5063u8EmIkiEbPI3c+6wPYrYW8\n"
    "SQAAAANtaWcAAAAAAAAABnNoYTUxMgAAAZQAAAAMcnNhLXNoYTItNTEyAAABgBvlsNKbzv\n"
    "0PkJyKYUmxvz8DPWHVONUac/vYl0ncn1XHpj2l86SSem//+JyxVqTmVjBdkpXPktBdlA78\n"
    "eeMt+GKbeVZqkYYn52XrFF8n5rLiHryB3brpck5LNJ0Z+YpLJrLpKolwWqPphWrGoC/KwL\n"
    "BSQTiqKebfMSrdeyCvmJJXpaAhHpS2vcKlCPv3s0lj713Ot1VtlUmtSFs05H8pDF0EY2qZ\n"
    "L1Zzjr8ZRPbQAbsct3egba0EtBrecSfznKBGMrDoiMH/hZExqAI9RYp1OXKQH9xiBWECef\n"
    "ZZWvdFW4OkooQEKwXDwLxMoHaSwOutazCHVn1OIJTt4qJ0l7cPKQdinZ1eIRYkURpSfc3S\n"
    "Dgi3Dt6VRW7XvIiCVq+RCMrtrCyZv4v7ZkuTCK2j+hV0a0RXm1NXZzIPkIiICoGx9mMPmm\n"
    "iKtS/ohl6KjxSQ+zXsFMlzfmsZ7pkKOWiOwSAyGpDXAR4evrr9ls46ZpzrS5trroiDq1Qk\n"
    "8r2gEmaQ5i4sQA==\n"
    "-----END SSH SIGNATURE-----\n";
inline constexpr std::string_view kRsaPublicLine =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQCu6Wuep7xg08W7WAo0TXlfl3IoowwBfx29J+BdeKXBw9kvs8pKVI"
    "iT2U48Nwfop9m9ZUskqg/++SDXZ+ppW+z0pPW6hak4dKgC9vpHdTlD9/a1ct69w8Cvloq5RELgtG0utxfvmVJFnM4l"
    "NWEJwqvhW7TrDYsaNK+dsePQi4nra04M8PREW0K2jNeM+C3bIWvyBd1kpc2ZCc01UYAit4Jd6lcm3mSOUEfsF2MV+9"
    "uUp02MEKjhfH11Y/ek9NAW0HaKHSEAmZlQ7yW2dHWgLZlvYLcJpGQoqxkMdEluZnR98Im7pwIq46GGUPd2xhQXm57K"
    "6jzKH38bcX1X52EtB7ai/RsGoDvGXMi47pK8TujEke35ZUE/H9KYXqg9XOz/v4Trz7D5ZvAzRNa1yWrYm2uZJxzxYL"
    "P2o69P+Gd4yG3NnspeMJMBRUSkcHHIt1k/V3zMH7SbvHDpKbSAMCvVyzcaVMT0jl0Y6a3sLbz+dOt7vBJiJIhGzyN3"
    "PusD2K2FvEk= r";

}  // namespace mig::ssh_vectors
