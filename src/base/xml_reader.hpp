// SPDX-License-Identifier: Apache-2.0
/// One pass over an XML text, tag by tag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/error.hpp>

#include "base/xml.hpp"

namespace qconn::xml {

/// Reads and checks: encoding, UTF-8, well-formed tags that match, entities, DOCTYPE, limits, one root and nothing behind it. Attributes are checked
/// and not given out.
class Reader {
public:
    enum class Token : std::uint8_t {
        open,   ///< of an element, empty ones too
        close,  ///< of the element that was opened last
        text,   ///< all that is between two tags, comments and processing instructions left out; not white space between elements
        end,    ///< of the text, or at the first error
    };

    Reader(std::string_view text, const Limits& limits);
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    Token next();
    /// Of the element opened or closed; the view lives as long as the reader.
    std::string_view name() const noexcept { return name_; }
    /// With entities resolved and newlines as XML has them; the view lives until the next text.
    std::string_view text() const noexcept { return text_; }

    /// Goes to the next element inside of the one that is open; false behind its end, or at an error.
    bool next_child();
    /// Goes behind the end of the element that is open.
    void skip();
    /// The text of the element that is open, to its end; nothing where there are elements inside.
    std::optional<std::string_view> only_text();

    bool failed() const noexcept { return error_.has_value(); }
    /// Reads to the end of all. @returns the first error, PARSE-ERROR with line and column or LIMIT-EXCEEDED
    std::optional<Error> finish();
    /// The whole of it in UTF-8.
    std::string_view utf8() const noexcept { return source_; }

private:
    void fail(Errc code, const char* place, std::string_view what);
    /// At `<!` or `<?`. False where it is nothing that can be; otherwise it is read, or refused.
    bool no_tag();
    void skip_past(std::string_view end, std::size_t begin);
    void document_type();
    Token open_tag();
    Token close_tag();
    Token too_many(const char* tag);
    Token refuse(const char* place, std::string_view what);
    bool attribute(const char* tag);
    void blanks() noexcept;
    bool is_at(std::string_view text) const noexcept { return rest().starts_with(text); }
    std::string_view rest() const noexcept { return {at_, end_}; }

    void content();
    void character_data();
    std::optional<std::uint32_t> reference();
    void add(std::string_view piece);
    void own();

    std::string converted_;  // where the text is not in UTF-8
    std::string_view source_;
    const char* at_{nullptr};
    const char* end_{nullptr};
    std::size_t most_depth_;
    std::size_t most_nodes_;
    std::size_t nodes_{0};
    std::vector<std::string_view> open_;
    std::string_view name_;
    std::string_view text_;
    std::string made_;         // holds text_ where that is not in the source as it is
    bool has_text_{false};     // since the last tag
    bool just_opened_{false};  // by the last tag
    bool empty_{false};        // the last tag closes its element, too
    bool root_{false};
    std::optional<Error> error_;
};

}  // namespace qconn::xml
