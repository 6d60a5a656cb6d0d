// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_packet.hpp"

#include <array>
#include <cstring>

namespace qconn::sftp {

namespace {

enum AttributeFlag : std::uint32_t {
    k_has_size = 0x01,
    k_has_owner = 0x02,
    k_has_permissions = 0x04,
    k_has_times = 0x08,
    k_has_extended = 0x80000000,
};

constexpr std::uint32_t k_version = 3;
/// A name of READDIR has two lengths and flags at least.
constexpr std::size_t k_least_name = 12;

template <class Number>
void store(char* to, Number value) noexcept {
    for (std::size_t i = sizeof value; i-- > 0;) {
        to[i] = static_cast<char>(value & 0xff);
        if constexpr (sizeof value > 1) value = static_cast<Number>(value >> 8);
    }
}

template <class Number>
Number load(const char* from) noexcept {
    Number value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) value = static_cast<Number>((std::uint64_t{value} << 8) | static_cast<unsigned char>(from[i]));
    return value;
}

/// Builds one packet; the length is put in at the end.
class PacketWriter {
public:
    PacketWriter(PacketType type, std::size_t room) {
        bytes_.reserve(9 + room);
        number(std::uint32_t{0});
        bytes_ += static_cast<char>(type);
    }
    template <class Number>
    PacketWriter& number(Number value) {
        std::array<char, sizeof value> room{};
        store(room.data(), value);
        bytes_.append(room.data(), room.size());
        return *this;
    }
    PacketWriter& text(std::string_view value) {
        number(static_cast<std::uint32_t>(value.size()));
        bytes_ += value;
        return *this;
    }
    PacketWriter& attributes(const Attributes& a) {
        number((a.size ? k_has_size : 0U) | (a.owner ? k_has_owner : 0U) | (a.permissions ? k_has_permissions : 0U) | (a.times ? k_has_times : 0U));
        if (a.size) number(*a.size);
        if (a.owner) number(a.owner->uid).number(a.owner->gid);
        if (a.permissions) number(*a.permissions);
        if (a.times) number(a.times->accessed).number(a.times->modified);
        return *this;
    }
    std::string take() {
        store(bytes_.data(), static_cast<std::uint32_t>(bytes_.size() - 4));
        return std::move(bytes_);
    }

private:
    std::string bytes_;
};

constexpr std::size_t k_attributes_room = 4 + 8 + 8 + 4 + 8;

PacketWriter request(PacketType type, std::size_t room) {
    PacketWriter writer{type, room};
    writer.number(std::uint32_t{0});  // set_id
    return writer;
}

/// Reads a body; once it has run short, everything is zero and good() is false.
class BodyReader {
public:
    explicit BodyReader(std::string_view body) noexcept : left_{body} {}

    template <class Number>
    Number number() noexcept {
        if (left_.size() < sizeof(Number)) return fail(), Number{0};
        const auto value = load<Number>(left_.data());
        left_.remove_prefix(sizeof(Number));
        return value;
    }
    std::string_view text(std::size_t longest) noexcept {
        const std::size_t size = number<std::uint32_t>();
        if (!good_ || size > longest || size > left_.size()) return fail(), std::string_view{};
        const auto value = left_.substr(0, size);
        left_.remove_prefix(size);
        return value;
    }
    Attributes attributes() noexcept {
        const auto flags = number<std::uint32_t>();
        Attributes a;
        if ((flags & k_has_size) != 0) a.size = number<std::uint64_t>();
        if ((flags & k_has_owner) != 0) {
            a.owner.emplace();
            a.owner->uid = number<std::uint32_t>();
            a.owner->gid = number<std::uint32_t>();
        }
        if ((flags & k_has_permissions) != 0) a.permissions = number<std::uint32_t>();
        if ((flags & k_has_times) != 0) {
            a.times.emplace();
            a.times->accessed = number<std::uint32_t>();
            a.times->modified = number<std::uint32_t>();
        }
        if ((flags & k_has_extended) != 0) {
            // Each takes 8 bytes at least, or the reader runs short.
            for (auto count = number<std::uint32_t>(); good_ && count > 0; --count) {
                text(k_max_packet);
                text(k_max_packet);
            }
        }
        return a;
    }
    void fail() noexcept {
        good_ = false;
        left_ = {};
    }
    bool good() const noexcept { return good_; }
    std::string_view left() const noexcept { return left_; }

private:
    std::string_view left_;
    bool good_{true};
};

template <class T>
std::optional<T> if_good(const BodyReader& reader, T value) {
    if (!reader.good()) return std::nullopt;
    return value;
}

}  // namespace

std::string init_request() { return PacketWriter{PacketType::init, 0}.number(k_version).take(); }

std::string open_request(std::string_view path, std::uint32_t flags, const Attributes& attributes) {
    return request(PacketType::open, 8 + path.size() + k_attributes_room).text(path).number(flags).attributes(attributes).take();
}

std::string path_request(PacketType type, std::string_view path) { return request(type, 4 + path.size()).text(path).take(); }

std::string handle_request(PacketType type, std::string_view handle) { return request(type, 4 + handle.size()).text(handle).take(); }

std::string read_request(std::string_view handle, std::uint64_t offset, std::uint32_t size) {
    return request(PacketType::read, 16 + handle.size()).text(handle).number(offset).number(size).take();
}

std::string attributes_request(PacketType type, std::string_view path, const Attributes& attributes) {
    return request(type, 4 + path.size() + k_attributes_room).text(path).attributes(attributes).take();
}

std::string two_paths_request(PacketType type, std::string_view first, std::string_view second) {
    return request(type, 8 + first.size() + second.size()).text(first).text(second).take();
}

std::string extended_request(std::string_view name, const std::vector<std::string_view>& arguments) {
    std::size_t room = 4 + name.size();
    for (const auto argument : arguments) room += 4 + argument.size();
    PacketWriter writer = request(PacketType::extended, room);
    writer.text(name);
    for (const auto argument : arguments) writer.text(argument);
    return writer.take();
}

void set_id(std::string& packet, std::uint32_t id) noexcept { store(packet.data() + 5, id); }

std::size_t put_write_head(char* end, std::uint32_t id, std::string_view handle, std::uint64_t offset, std::uint32_t size) noexcept {
    const std::size_t head = 4 + 1 + 4 + 4 + handle.size() + 8 + 4;
    char* to = end - head;
    store(to, static_cast<std::uint32_t>(head - 4 + size));
    to[4] = static_cast<char>(PacketType::write);
    store(to + 5, id);
    store(to + 9, static_cast<std::uint32_t>(handle.size()));
    std::memcpy(to + 13, handle.data(), handle.size());
    store(end - 12, offset);
    store(end - 4, size);
    return head;
}

std::optional<Status> read_status(std::string_view body) {
    BodyReader reader{body};
    Status status;
    status.code = static_cast<StatusCode>(reader.number<std::uint32_t>());
    if (!reader.good()) return std::nullopt;
    // Some servers send no words.
    if (!reader.left().empty()) status.words = reader.text(k_max_name);
    return if_good(reader, status);
}

std::optional<std::string_view> read_handle(std::string_view body) {
    BodyReader reader{body};
    const auto handle = reader.text(k_max_handle);
    return if_good(reader, handle);
}

std::optional<std::string_view> read_data(std::string_view body) {
    BodyReader reader{body};
    const auto data = reader.text(k_max_packet);
    return if_good(reader, data);
}

std::optional<Attributes> read_attributes(std::string_view body) {
    BodyReader reader{body};
    const auto attributes = reader.attributes();
    return if_good(reader, attributes);
}

std::optional<std::vector<Name>> read_names(std::string_view body) {
    BodyReader reader{body};
    const std::size_t count = reader.number<std::uint32_t>();
    if (!reader.good() || count > body.size() / k_least_name) return std::nullopt;
    std::vector<Name> names(count);
    for (auto& name : names) {
        name.name = reader.text(k_max_name);
        name.long_name = reader.text(k_max_name);
        name.attributes = reader.attributes();
    }
    return if_good(reader, std::move(names));
}

std::optional<std::vector<Extension>> read_extensions(std::string_view body) {
    BodyReader reader{body};
    std::vector<Extension> found;
    while (reader.good() && !reader.left().empty()) {
        Extension one;
        one.name = reader.text(k_max_name);
        one.data = reader.text(k_max_packet);
        found.push_back(one);
    }
    return if_good(reader, std::move(found));
}

std::optional<Limits> read_limits(std::string_view body) {
    BodyReader reader{body};
    Limits limits;
    for (auto* const one : {&limits.packet, &limits.read, &limits.write, &limits.handles}) *one = reader.number<std::uint64_t>();
    return if_good(reader, limits);
}

std::optional<Space> read_space(std::string_view body) {
    BodyReader reader{body};
    Space space;
    for (auto* const one : {&space.block, &space.fragment, &space.blocks, &space.blocks_free, &space.blocks_available, &space.files,
                            &space.files_free, &space.files_available, &space.id, &space.flags, &space.longest_name})
        *one = reader.number<std::uint64_t>();
    return if_good(reader, space);
}

}  // namespace qconn::sftp
