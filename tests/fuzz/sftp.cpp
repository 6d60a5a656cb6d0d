// SPDX-License-Identifier: Apache-2.0
// What an SFTP server sends: never a step too far, the same packets however they are cut, and nothing from nowhere.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/require.hpp"
#include "ssh/sftp_input.hpp"

using namespace qconn::sftp;

namespace {

/// Reads it as everything that it could be; views stay inside.
void read_all(std::string_view body) {
    const auto inside = [&](std::string_view part) {
        QCONN_REQUIRE(part.empty() || (part.data() >= body.data() && part.data() + part.size() <= body.data() + body.size()));
    };
    if (const auto status = read_status(body)) inside(status->words);
    if (const auto handle = read_handle(body)) inside(*handle);
    if (const auto data = read_data(body)) inside(*data);
    if (const auto attributes = read_attributes(body)) {
        // What can be said again means the same.
        const auto again = attributes_request(PacketType::setstat, "", *attributes);
        QCONN_REQUIRE(read_attributes(std::string_view{again}.substr(13)) == *attributes);
    }
    if (const auto names = read_names(body)) {
        for (const auto& one : *names) {
            inside(one.name);
            inside(one.long_name);
        }
    }
    if (const auto extensions = read_extensions(body)) {
        for (const auto& one : *extensions) {
            inside(one.name);
            inside(one.data);
        }
    }
    static_cast<void>(read_limits(body));
    static_cast<void>(read_space(body));
}

std::string take_apart(std::string_view bytes, std::size_t piece) {
    static const auto pool = make_block_pool(PacketInput::k_block_size, 2);  // blocks are large
    PacketInput input{pool};
    std::string found;
    while (!bytes.empty()) {
        const auto room = input.room();
        QCONN_REQUIRE(!room.empty());
        const std::size_t size = std::min({piece, bytes.size(), room.size()});
        std::copy_n(bytes.data(), size, room.data());
        input.filled(size);
        bytes.remove_prefix(size);
        Packet packet;
        auto outcome = input.next(packet);
        for (; outcome == PacketInput::Outcome::packet; outcome = input.next(packet)) {
            QCONN_REQUIRE(packet.body.size() + 5 <= k_max_packet);
            const std::vector<char> alone(packet.body.begin(), packet.body.end());  // so that AddressSanitizer sees a step too far
            read_all({alone.data(), alone.size()});
            found += static_cast<char>(packet.type);
            found += std::to_string(packet.id) + ',' + std::string{packet.body} + ';';
        }
        if (outcome == PacketInput::Outcome::malformed) return found + '!';
    }
    return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const std::string whole = take_apart(bytes, size + 1);
    QCONN_REQUIRE(take_apart(bytes, 1) == whole);
    QCONN_REQUIRE(take_apart(bytes, 7) == whole);
    return 0;
}
