// SPDX-License-Identifier: Apache-2.0
#include "amqp/message_view.hpp"

#include "amqp/message_fields.hpp"
#include "amqp/value_codec.hpp"
#include "base/text.hpp"

namespace qconn::amqp {

namespace {

bool has_own_type(std::uint8_t code, const Raw& raw) noexcept {
    if (code == section::k_value) return true;
    if (!raw.descriptor.empty()) return false;
    switch (code) {
        case section::k_data: return raw.is_text(code::k_vbin8);
        case section::k_header:
        case section::k_properties:
        case section::k_sequence: return raw.is_list();
        default: return raw.is_map();
    }
}

constexpr bool is_body(std::uint8_t code) noexcept { return code >= section::k_data && code <= section::k_value; }

}  // namespace

bool SectionReader::next(Section& out) noexcept {
    std::string_view descriptor;
    if (!reader_.read_descriptor(descriptor)) return fail(reader_.fault());
    const std::uint64_t code = descriptor_code(descriptor);
    if (code < section::k_header || code > section::k_footer) return fail("a section that does not exist");
    out.code = static_cast<std::uint8_t>(code);
    const bool again = out.code == last_ && (out.code == section::k_data || out.code == section::k_sequence);
    if (out.code < last_ || (out.code == last_ && !again)) return fail("a section that comes twice, or behind one that follows it");
    if (is_body(last_) && is_body(out.code) && out.code != last_) return fail("a body of several kinds");
    last_ = out.code;
    const char* const at = reader_.rest().data();
    if (!reader_.read(out.raw)) return fail(reader_.fault());
    out.value = {at, static_cast<std::size_t>(reader_.rest().data() - at)};
    return has_own_type(out.code, out.raw) || fail("a section whose value is of another type than its own");
}

Raw field(const Raw& list, std::size_t index) noexcept {
    Raw out;
    if (!list.is_list() || index >= list.count) return out;
    Reader reader{list.body};
    for (std::size_t i = 0; i <= index; ++i)
        if (!reader.read(out)) return {};
    return out;
}

void MessageView::walk() const noexcept {
    walked_ = true;
    SectionReader sections{bytes_};
    Section one;
    while (!sections.at_end()) {
        const bool good = sections.next(one);
        if (!good) {
            fault_ = sections.fault();
            fault_offset_ = sections.offset();
            return;
        }
        const bool another = one.code == body_;
        if (!another) at_[one.code - section::k_header] = one.value.data();
        if (!is_body(one.code)) continue;
        body_ = one.code;
        if (one.code == section::k_data) {
            text_ = another ? std::string_view{} : one.raw.body;
        } else if (one.raw.descriptor.empty() && one.raw.is_text(code::k_str8) && one.code == section::k_value) {
            if (const std::size_t bad = is_ascii(one.raw.body) ? npos : text::invalid_utf8(one.raw.body); bad != npos) {
                fault_ = "a string is not UTF-8";
                fault_offset_ = static_cast<std::size_t>(one.raw.body.data() - bytes_.data()) + bad;
                return;
            }
            text_ = one.raw.body;
        }
    }
}

bool MessageView::stand(std::uint8_t code, Reader& out) const noexcept {
    if (code < section::k_header || code > section::k_footer || !found()) return false;
    const char* const at = at_[code - section::k_header];
    if (at == nullptr) return false;
    out = Reader{{at, static_cast<std::size_t>(bytes_.data() + bytes_.size() - at)}};
    return true;
}

Raw MessageView::raw(std::uint8_t code) const noexcept {
    Raw out;
    Reader reader{{}};
    if (stand(code, reader)) reader.read(out);
    return out;
}

std::string_view MessageView::encoded(std::uint8_t code) const noexcept {
    Raw ignored;
    Reader reader{{}};
    if (!stand(code, reader)) return {};
    const char* const at = reader.rest().data();
    reader.read(ignored);
    return {at, reader.offset()};
}

std::optional<AmqpHeader> MessageView::header() const {
    const Raw list = raw(section::k_header);
    return list.is_null() ? std::nullopt : std::optional{read_header(list, bytes_)};
}

std::optional<AmqpProperties> MessageView::properties() const {
    const Raw list = raw(section::k_properties);
    return list.is_null() ? std::nullopt : std::optional{read_properties(list, bytes_)};
}

}  // namespace qconn::amqp
