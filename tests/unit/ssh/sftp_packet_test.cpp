// SPDX-License-Identifier: Apache-2.0
// Packets of SFTP: written, read, and found in a stream of bytes.
#include <string>
#include <vector>

#include "base/text.hpp"
#include "ssh/sftp_input.hpp"
#include "ssh/sftp_packet.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::sftp;

namespace {

std::string hex(std::string_view bytes) { return text::to_hex(bytes); }
std::string with_id(std::string packet) {
    set_id(packet, 0x01020304);
    return hex(packet);
}

std::string bytes_of(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes += static_cast<char>(text::hex_digit(digits[i]) * 16 + text::hex_digit(digits[i + 1]));
    return bytes;
}

/// All packets in it, as "type id body", and "!" where it is malformed.
std::string packets_in(std::string_view bytes, std::size_t piece) {
    PacketInput input{make_block_pool(PacketInput::k_block_size, 2)};
    std::string found;
    while (!bytes.empty()) {
        const auto room = input.room();
        const std::size_t size = std::min({piece, bytes.size(), room.size()});
        std::copy_n(bytes.data(), size, room.data());
        input.filled(size);
        bytes.remove_prefix(size);
        Packet packet;
        auto outcome = input.next(packet);
        for (; outcome == PacketInput::Outcome::packet; outcome = input.next(packet))
            found += std::to_string(static_cast<int>(packet.type)) + ' ' + std::to_string(packet.id) + ' ' + hex(packet.body) + '\n';
        if (outcome == PacketInput::Outcome::malformed) return found + '!';
    }
    return found;
}

std::string packet_of(std::size_t body, char filler) {
    std::string packet = bytes_of("0000000067000000ff");
    const std::size_t size = 5 + body;
    for (std::size_t i = 0; i < 4; ++i) packet[i] = static_cast<char>(size >> (24 - 8 * i));
    return packet + std::string(body, filler);
}

}  // namespace

TEST_CASE("requests are written as the draft and OpenSSH have them", "[sftp]") {
    CHECK(hex(init_request()) == "000000050100000003");
    CHECK(with_id(open_request("a", k_open_write | k_open_create)) ==
          "000000120301020304"
          "0000000161"
          "0000000a"
          "00000000");
    Attributes all;
    all.size = 0x0102030405060708;
    all.owner = Attributes::Owner{1, 2};
    all.permissions = 0644;
    all.times = Attributes::Times{3, 4};
    CHECK(with_id(attributes_request(PacketType::setstat, "a", all)) ==
          "0000002a0901020304"
          "0000000161"
          "0000000f"
          "0102030405060708"
          "0000000100000002"
          "000001a4"
          "0000000300000004");
    CHECK(with_id(path_request(PacketType::lstat, "ab")) ==
          "0000000b0701020304"
          "000000026162");
    CHECK(with_id(handle_request(PacketType::close, "h")) ==
          "0000000a0401020304"
          "0000000168");
    CHECK(with_id(read_request("h", 0x100000000, 32768)) ==
          "000000160501020304"
          "0000000168"
          "0000000100000000"
          "00008000");
    CHECK(with_id(two_paths_request(PacketType::rename, "a", "b")) ==
          "0000000f1201020304"
          "0000000161"
          "0000000162");
    CHECK(with_id(extended_request("limits@openssh.com", {})) ==
          "0000001bc801020304"
          "00000012" +
              hex("limits@openssh.com"));
    CHECK(with_id(extended_request("f", {"h", "i"})) ==
          "00000014c801020304"
          "0000000166"
          "0000000168"
          "0000000169");
}

TEST_CASE("the head of a WRITE ends where its bytes begin", "[sftp]") {
    std::string room(k_write_head, '.');
    const std::string longest(k_max_handle, 'h');
    CHECK(put_write_head(room.data() + room.size(), 7, longest, 1, 3) == k_write_head);
    const std::size_t size = put_write_head(room.data() + room.size(), 0x01020304, "h", 0x0a, 3);
    CHECK(hex(room.substr(room.size() - size)) ==
          "00000019"
          "06"
          "01020304"
          "0000000168"
          "000000000000000a"
          "00000003");
}

TEST_CASE("answers are read, and what is cut short is malformed", "[sftp]") {
    const std::string status = bytes_of(
        "00000004"
        "00000002"
        "6f6f"
        "00000000");
    CHECK(read_status(status)->code == StatusCode::failure);
    CHECK(read_status(status)->words == "oo");
    CHECK(read_status(bytes_of("00000001"))->code == StatusCode::eof);  // without words
    CHECK_FALSE(read_status(bytes_of("0000000400000003ff")));
    CHECK(read_handle(bytes_of("0000000168")) == "h");
    CHECK_FALSE(read_handle(bytes_of("00000101") + std::string(257, 'h')));
    CHECK(read_data(bytes_of("00000003616263")) == "abc");
    CHECK_FALSE(read_data(bytes_of("000000046162")));

    const std::string attributes = bytes_of(
        "8000000f"
        "0000000000000005"
        "0000000100000002"
        "000081a4"
        "0000000300000004"
        "00000001"
        "0000000161"
        "0000000162");
    const auto read = read_attributes(attributes);
    REQUIRE(read);
    CHECK(read->size == 5);
    CHECK(read->owner == Attributes::Owner{1, 2});
    CHECK(read->permissions == 0100644U);
    CHECK(read->times == Attributes::Times{3, 4});
    for (std::size_t n = 0; n < attributes.size(); ++n) CHECK_FALSE(read_attributes(attributes.substr(0, n)));
    CHECK_FALSE(read_attributes(bytes_of("80000000ffffffff")));

    const std::string names = bytes_of(
        "00000002"
        "0000000161"
        "00000000"
        "00000000"
        "0000000162"
        "0000000162"
        "00000004000001a4");
    REQUIRE(read_names(names));
    CHECK(read_names(names)->size() == 2);
    CHECK(read_names(names)->back().attributes.permissions == 0644U);
    for (std::size_t n = 0; n < names.size(); ++n) CHECK_FALSE(read_names(names.substr(0, n)));
    CHECK_FALSE(read_names(bytes_of("ffffffff0000000161")));

    CHECK(read_extensions("")->empty());
    CHECK(read_extensions(bytes_of("0000000161"
                                   "0000000131"))
              ->front()
              .data == "1");
    CHECK_FALSE(read_extensions(bytes_of("0000000161")));
    CHECK(read_limits(std::string(32, '\0')));
    CHECK_FALSE(read_limits(std::string(31, '\0')));
    CHECK(read_space(std::string(88, '\1'))->block == 0x0101010101010101);
    CHECK_FALSE(read_space(std::string(87, '\0')));
}

TEST_CASE("packets are found however the bytes are cut, also the largest ones", "[sftp]") {
    std::string bytes = packet_of(0, ' ') + packet_of(3, 'a') + packet_of(1000, 'b');
    for (int i = 0; i < 5; ++i) bytes += packet_of(k_max_packet - 5, 'c') + packet_of(100'000, 'd') + packet_of(1, 'e');
    const std::string whole = packets_in(bytes, bytes.size());
    CHECK(std::count(whole.begin(), whole.end(), '\n') == 18);
    CHECK(whole.find('!') == npos);
    for (const std::size_t piece : {std::size_t{4096}, std::size_t{65'537}, k_max_packet}) CHECK(packets_in(bytes, piece) == whole);
    const std::string few = bytes.substr(0, 1030);
    CHECK(packets_in(few, 1) == packets_in(few, 5000));
}

TEST_CASE("lengths that cannot be are malformed", "[sftp]") {
    CHECK(packets_in(bytes_of("00000004"
                              "67000000"),
                     100) == "!");
    CHECK(packets_in(bytes_of("00000000"), 1) == "!");
    CHECK(packets_in(bytes_of("00040001"), 100) == "!");
    CHECK(packets_in(bytes_of("ffffffff"), 100) == "!");
    CHECK(packets_in(packet_of(1, 'a') + bytes_of("ffffffff"), 3) == "103 255 61\n!");
    CHECK(packets_in(bytes_of("000400"), 100).empty());
}

TEST_CASE("what lies in a block stays as long as somebody holds it", "[sftp]") {
    const auto pool = make_block_pool(PacketInput::k_block_size, 2);
    std::vector<std::pair<BlockRef, std::string_view>> held;
    {
        PacketInput input{pool};
        for (char c = 'a'; c < 'a' + 20; ++c) {
            std::string bytes = packet_of(100'000, c);
            std::string_view left = bytes;
            while (!left.empty()) {
                const auto room = input.room();
                const std::size_t size = std::min(left.size(), room.size());
                std::copy_n(left.data(), size, room.data());
                input.filled(size);
                left.remove_prefix(size);
            }
            Packet packet;
            REQUIRE(input.next(packet) == PacketInput::Outcome::packet);
            held.emplace_back(input.block(), packet.body);
        }
    }
    for (std::size_t i = 0; i < held.size(); ++i) CHECK(held[i].second == std::string(100'000, static_cast<char>('a' + i)));
}
