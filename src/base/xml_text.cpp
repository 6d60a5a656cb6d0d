// SPDX-License-Identifier: Apache-2.0
#include "base/xml_text.hpp"

#include <utility>

#include "base/byte_run.hpp"
#include "base/text.hpp"

namespace qconn::xml {

bool append_text(std::string& out, std::string_view text, bool in_attribute) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
        const char* const run = std::exchange(
            at, text::run_end(at, end, [](auto c) { return (c == '&') | (c == '<') | (c == '>') | (c == '"') | (c < 0x20) | (c > 0x7F); }));
        out.append(run, at);
        if (at == end) return true;
        if (static_cast<unsigned char>(*at) > 0x7F) {
            const std::size_t size = text::sequence_length({at, end});
            const std::string_view c{at, size};
            if (size == 0 || c == "\xEF\xBF\xBE" || c == "\xEF\xBF\xBF") return false;
            out += c;
            at += size;
            continue;
        }
        switch (*at) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '\r': out += "&#13;"; break;  // a reader turns a raw one into a newline
            case '"': out += in_attribute ? "&quot;" : "\""; break;
            case '\n': out += in_attribute ? "&#10;" : "\n"; break;
            case '\t': out += in_attribute ? "&#9;" : "\t"; break;
            default: return false;
        }
        ++at;
    }
}

}  // namespace qconn::xml
