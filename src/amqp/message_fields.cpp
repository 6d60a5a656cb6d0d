// SPDX-License-Identifier: Apache-2.0
#include "amqp/message_fields.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/message_view.hpp"
#include "amqp/value_codec.hpp"
#include "base/text.hpp"

namespace qconn::amqp {

namespace {

bool is_message_id(AmqpType type) noexcept {
    return type == AmqpType::ulong_ || type == AmqpType::uuid || type == AmqpType::binary || type == AmqpType::string;
}

void put_id(Fields& fields, const AmqpValue& id, std::string_view name) {
    if (id.is_null()) return fields.absent();
    if (!is_message_id(id.type()))
        throw amqp_error(AmqpErrc::encode, "a message cannot be sent: its " + std::string{name} + " is of the type " +
                                               std::string{to_string(id.type())} + ", and may be a ulong, a uuid, binary or a string");
    put_value(fields.next(), id);
}

void put_field(Fields& fields, const std::optional<std::string>& text) {
    if (text)
        put_checked_string(fields.next(), *text);
    else
        fields.absent();
}

void put_field(Fields& fields, const std::optional<AmqpSymbol>& symbol) {
    if (symbol)
        put_checked_symbol(fields.next(), symbol->name);
    else
        fields.absent();
}

void put_field(Fields& fields, const std::optional<AmqpTimestamp>& time) {
    if (time)
        put_timestamp(fields.next(), time->milliseconds);
    else
        fields.absent();
}

/// Reads the fields of a list in their order.
class FieldReader {
public:
    FieldReader(const Raw& list, std::string_view message, std::string_view what)
        : message_{message}, what_{what}, reader_{list.body}, left_{list.count} {}

    /// False: it is absent.
    bool next(Raw& out) {
        if (left_ == 0) return false;
        --left_;
        at_ = reader_.rest().data();
        if (!reader_.read(out)) fail(reader_.rest().data(), reader_.fault());
        if (!out.descriptor.empty()) fail_type();
        return !out.is_null();
    }
    void end() {
        Raw ignored;
        for (; left_ != 0; --left_)
            if (!reader_.read(ignored)) fail(reader_.rest().data(), reader_.fault());
        if (!reader_.at_end()) fail(reader_.rest().data(), "a list has more bytes than its elements");
    }

    template <class T>
    void read(T& out, bool (*get)(const Raw&, T&) noexcept) {
        Raw raw;
        if (next(raw) && !get(raw, out)) fail_type();
    }
    void read(std::optional<std::string>& out) {
        if (const auto text = text_of()) out.emplace(*text);
    }
    void read(std::optional<AmqpSymbol>& out) {
        const auto name = text_of();
        if (!name) return;
        if (!is_ascii(*name)) fail(name->data(), "a symbol is not ASCII");
        out = AmqpSymbol{std::string{*name}};
    }
    void read(std::optional<AmqpBinary>& out) {
        Raw raw;
        std::string_view bytes;
        if (!next(raw)) return;
        if (!get_text(raw, code::k_vbin8, bytes)) fail_type();
        out = AmqpBinary{std::string{bytes}};
    }
    void read(std::optional<AmqpTimestamp>& out) {
        Raw raw;
        if (next(raw) && !get_timestamp(raw, out.emplace().milliseconds)) fail_type();
    }
    void read(std::optional<std::uint32_t>& out) {
        Raw raw;
        if (next(raw) && !get_uint(raw, out.emplace())) fail_type();
    }
    /// An id of a message.
    void read(AmqpValue& out) {
        Raw raw;
        if (!next(raw)) return;
        ValueDecoder decoder{message_, {}};
        if (!decoder.plain(raw, out)) throw not_amqp("message", decoder.offset(), decoder.fault());
        if (!is_message_id(out.type())) fail_type();
    }

private:
    std::optional<std::string_view> text_of() {
        Raw raw;
        std::string_view text;
        if (!next(raw)) return std::nullopt;
        if (!get_text(raw, code::k_str8, text) && !get_text(raw, code::k_sym8, text)) fail_type();
        if (const std::size_t bad = is_ascii(text) ? npos : text::invalid_utf8(text); bad != npos) fail(text.data() + bad, "a string is not UTF-8");
        return text;
    }
    [[noreturn]] void fail(const char* at, std::string_view what) const {
        throw not_amqp("message", static_cast<std::size_t>(at - message_.data()), std::string{what_} + ": " + std::string{what});
    }
    [[noreturn]] void fail_type() const { fail(at_, "a field of another type than its own"); }

    std::string_view message_;
    std::string_view what_;
    Reader reader_;
    std::uint32_t left_;
    const char* at_{nullptr};
};

}  // namespace

void put_header(std::string& to, const AmqpHeader& header) {
    // What is as it is by default is left out.
    Fields fields{to, section::k_header};
    if (header.durable)
        put_boolean(fields.next(), true);
    else
        fields.absent();
    if (header.priority != 4)
        put_ubyte(fields.next(), header.priority);
    else
        fields.absent();
    if (header.ttl) {
        const auto ms = header.ttl->count();
        if (!std::in_range<std::uint32_t>(ms))
            throw amqp_error(AmqpErrc::encode,
                             "a message cannot be sent: its time to live is " + std::to_string(ms) + " ms, and may be from 0 to 4294967295 ms");
        put_uint(fields.next(), static_cast<std::uint32_t>(ms));
    } else {
        fields.absent();
    }
    if (header.first_acquirer)
        put_boolean(fields.next(), true);
    else
        fields.absent();
    if (header.delivery_count != 0)
        put_uint(fields.next(), header.delivery_count);
    else
        fields.absent();
    fields.close();
}

void put_properties(std::string& to, const AmqpProperties& properties) {
    Fields fields{to, section::k_properties};
    put_id(fields, properties.message_id, "message-id");
    if (properties.user_id)
        put_binary(fields.next(), properties.user_id->bytes);
    else
        fields.absent();
    put_field(fields, properties.to);
    put_field(fields, properties.subject);
    put_field(fields, properties.reply_to);
    put_id(fields, properties.correlation_id, "correlation-id");
    put_field(fields, properties.content_type);
    put_field(fields, properties.content_encoding);
    put_field(fields, properties.absolute_expiry_time);
    put_field(fields, properties.creation_time);
    put_field(fields, properties.group_id);
    if (properties.group_sequence)
        put_uint(fields.next(), *properties.group_sequence);
    else
        fields.absent();
    put_field(fields, properties.reply_to_group_id);
    fields.close();
}

AmqpHeader read_header(const Raw& list, std::string_view message) {
    AmqpHeader out;
    FieldReader fields{list, message, "the header"};
    fields.read(out.durable, get_boolean);
    fields.read(out.priority, get_ubyte);
    std::optional<std::uint32_t> ttl;
    fields.read(ttl);
    if (ttl) out.ttl = std::chrono::milliseconds{*ttl};
    fields.read(out.first_acquirer, get_boolean);
    fields.read(out.delivery_count, get_uint);
    fields.end();
    return out;
}

AmqpProperties read_properties(const Raw& list, std::string_view message) {
    AmqpProperties out;
    FieldReader fields{list, message, "the properties"};
    fields.read(out.message_id);
    fields.read(out.user_id);
    fields.read(out.to);
    fields.read(out.subject);
    fields.read(out.reply_to);
    fields.read(out.correlation_id);
    fields.read(out.content_type);
    fields.read(out.content_encoding);
    fields.read(out.absolute_expiry_time);
    fields.read(out.creation_time);
    fields.read(out.group_id);
    fields.read(out.group_sequence);
    fields.read(out.reply_to_group_id);
    fields.end();
    return out;
}

}  // namespace qconn::amqp
