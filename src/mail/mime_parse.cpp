// SPDX-License-Identifier: Apache-2.0
// One pass over the lines of a mail. What is open - a mail, in it a multipart, in that a part - is a stack; a line that begins with "--" is compared
// with the boundaries on it, any other line costs the search for its end.
#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "mail/mime_fields.hpp"
#include "mail/mime_tree.hpp"

namespace qconn::mail {
namespace {

/// A boundary that is longer is none: lines are compared with it.
constexpr std::size_t k_longest_boundary = 256;

/// A part that has not ended.
struct OpenPart {
    std::size_t node{0};
    std::string boundary;   // of a multipart
    bool separates{false};  // lines are compared with its boundary: not any more behind the last one
};

/// A line that is a boundary.
struct BoundaryLine {
    std::size_t open{0};  // index on the stack
    bool last{false};
};

class Scan {
public:
    Scan(MimeTree& tree, const MailLimits& limits) : tree_{tree}, text_{tree.bytes}, limits_{limits} {}

    void run() {
        std::size_t at = skip_envelope();
        begin_part(k_no_node, at);
        bool in_header = true;
        while (true) {
            if (in_header) {
                at = read_fields(at);
                in_header = enter();
                if (in_header) continue;
            }
            at = find_boundary(at);
            if (at >= text_.size() || !found_) break;
            at = cross(at, in_header);
        }
        close_down_to(0, text_.size());
        close_last(text_.size());
    }

private:
    MimeNode& node() { return tree_.nodes[open_.back().node]; }

    void note(MailDefectKind kind, std::size_t offset) {
        if (tree_.defects.size() < limits_.defects) tree_.defects.push_back({kind, offset});
    }

    /// The line of a mailbox file that tells who sent it.
    std::size_t skip_envelope() {
        if (!text_.starts_with("From ") && !text_.starts_with(">From ")) return 0;
        note(MailDefectKind::envelope_line, 0);
        return next_line(0);
    }

    std::size_t line_end(std::size_t at) const noexcept {
        if (at >= text_.size()) return text_.size();
        const void* const found = std::memchr(text_.data() + at, '\n', text_.size() - at);
        return found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - text_.data()) : text_.size();
    }
    std::size_t next_line(std::size_t at) const noexcept { return std::min(line_end(at) + 1, text_.size()); }

    void begin_part(std::size_t parent, std::size_t at) {
        MimeNode part;
        part.begin = part.body = part.end = at;
        part.first_field = tree_.fields.size();
        part.parent = parent;
        const std::size_t index = tree_.nodes.size();
        if (parent != k_no_node) {
            MimeNode& above = tree_.nodes[parent];
            part.depth = above.depth + 1;
            if (above.first_child == k_no_node)
                above.first_child = index;
            else
                tree_.nodes[above.last_child].next = index;
            above.last_child = index;
        }
        tree_.nodes.push_back(std::move(part));
        open_.push_back({index, {}, false});
    }

    // ---- headers ----

    /// @returns where the body begins
    std::size_t read_fields(std::size_t at) {
        const std::size_t from = at;
        bool has_field = false;
        bool skipping = false;  // the folds of what was left out
        bool limit_told = false;
        std::size_t value_at = 0;
        const auto finish_field = [&](std::size_t end) {
            if (!has_field) return;
            while (end > value_at && (text_[end - 1] == '\n' || text_[end - 1] == '\r')) --end;
            tree_.fields.back().raw = text_.substr(value_at, end - value_at);
        };
        found_.reset();
        std::size_t body = text_.size();
        while (at < text_.size()) {
            const std::size_t newline = line_end(at);
            const std::size_t after = std::min(newline + 1, text_.size());
            std::string_view line = text_.substr(at, newline - at);
            if (line.ends_with('\r')) line.remove_suffix(1);
            if (line.empty()) {
                finish_field(at);
                has_field = false;
                body = after;
                break;
            }
            if (line.starts_with("--")) {
                found_ = boundary_in(line);
                if (found_) {
                    body = at;
                    break;
                }
            }
            if (line.front() == ' ' || line.front() == '\t') {
                if (!has_field && !skipping) note(MailDefectKind::bad_header, at);
                at = after;
                continue;
            }
            std::size_t colon = line.find(':');
            std::size_t name_end = 0;
            while (name_end < line.size() && line[name_end] > ' ' && line[name_end] < '\x7F' && line[name_end] != ':') ++name_end;
            const bool is_name = colon != npos && line.find_first_not_of(" \t", name_end) == colon;
            if (!is_name) {
                if (line.starts_with("From ") || line.starts_with(">From ")) {
                    note(MailDefectKind::envelope_line, at);
                    finish_field(at);
                    has_field = false;
                    skipping = true;
                    at = after;
                    continue;
                }
                note(MailDefectKind::no_header_end, at);
                body = at;
                break;
            }
            finish_field(at);
            has_field = false;
            skipping = true;
            if (name_end == 0) {
                note(MailDefectKind::bad_header, at);
            } else if (at - from > limits_.header_size || tree_.fields.size() - node().first_field >= limits_.headers) {
                if (!limit_told) note(MailDefectKind::header_limit, at);
                limit_told = true;
            } else {
                tree_.fields.push_back({line.substr(0, name_end), {}});
                value_at = at + colon + 1;
                while (value_at < at + line.size() && (text_[value_at] == ' ' || text_[value_at] == '\t')) ++value_at;
                has_field = true;
                skipping = false;
            }
            at = after;
        }
        finish_field(std::min(body, at));
        MimeNode& part = node();
        part.field_count = tree_.fields.size() - part.first_field;
        part.body = body;
        return body;
    }

    // ---- what a part is ----

    /// After the headers of a part. @returns whether headers follow: of a mail in it, of a group of fields
    bool enter() {
        MimeNode& part = node();
        describe(part);
        const std::string_view type = part.type;
        if (type.starts_with("multipart/")) {
            enter_multipart(part);
            return false;
        }
        const bool message = type.starts_with("message/");
        if (!message || found_ || part.body >= text_.size()) return false;
        if (part.encoded) {
            note(MailDefectKind::encoded_message, part.begin);
            return false;
        }
        if (!may_enter(part)) return false;
        const std::size_t body = part.body;
        if (type == "message/delivery-status") {
            part.kind = MimeKind::fields;
            read_groups(open_.back().node, body);
            return false;
        }
        if (type == "message/partial" || type == "message/external-body") return false;
        part.kind = MimeKind::message;
        begin_part(open_.back().node, body);
        return true;
    }

    bool may_enter(const MimeNode& part) {
        if (part.depth + 1 >= limits_.depth) {
            note(MailDefectKind::too_deep, part.begin);
            return false;
        }
        if (tree_.nodes.size() >= limits_.parts) {
            note(MailDefectKind::too_many_parts, part.begin);
            return false;
        }
        return true;
    }

    void enter_multipart(MimeNode& part) {
        if (part.encoded) {
            note(MailDefectKind::encoded_multipart, part.begin);
            part.encoded = false;
        }
        const MailHeader* const field = tree_.field(part, "content-type");
        std::optional<std::string> boundary = field != nullptr ? boundary_of(field->raw) : std::nullopt;
        if (!boundary || boundary->empty() || boundary->size() > k_longest_boundary) {
            note(MailDefectKind::no_boundary, part.begin);
            return;
        }
        if (!may_enter(part)) return;
        part.kind = MimeKind::multipart;
        part.preamble_end = part.epilogue_begin = 0;
        open_.back().boundary = std::move(*boundary);
        open_.back().separates = true;
        ++separating_;
    }

    void describe(MimeNode& part) {
        const bool in_digest = part.parent != k_no_node && tree_.nodes[part.parent].type == "multipart/digest";
        part.type = in_digest ? "message/rfc822" : "text/plain";
        if (const MailHeader* const field = tree_.field(part, "content-type")) {
            std::string type = head_of(field->raw);
            const std::size_t slash = type.find('/');
            if (slash != npos && slash > 0 && slash + 1 < type.size() && type.find('/', slash + 1) == npos) {
                part.type = std::move(type);
            } else if (!text::trim(field->raw).empty()) {
                part.type = "text/plain";
                note(MailDefectKind::bad_content_type, part.begin);
            }
        }
        if (const MailHeader* const field = tree_.field(part, "content-transfer-encoding")) part.encoding = head_of(field->raw);
        const std::string_view how = part.encoding;
        part.encoded = how == "base64" || how == "quoted-printable" || how == "x-uuencode" || how == "uuencode" || how == "uue" || how == "x-uue";
        if (!part.encoded && !how.empty() && how != "7bit" && how != "8bit" && how != "binary" && how != "7-bit" && how != "8-bit")
            note(MailDefectKind::unknown_encoding, part.begin);
    }

    /// The groups of a message/delivery-status, up to the next boundary.
    void read_groups(std::size_t above, std::size_t at) {
        while (at < text_.size()) {
            const std::size_t newline = line_end(at);
            const std::string_view line = text_.substr(at, newline - at);
            if (line.empty() || line == "\r") {
                at = std::min(newline + 1, text_.size());
                continue;
            }
            if (line.starts_with("--") && boundary_in(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line)) break;
            if (tree_.nodes.size() >= limits_.parts) {
                note(MailDefectKind::too_many_parts, at);
                break;
            }
            begin_part(above, at);
            const std::size_t body = read_fields(at);
            MimeNode& group = node();
            group.type = "text/plain";
            group.end = group.body = std::max(group.begin, std::min(body, text_.size()));
            open_.pop_back();
            if (body == at) break;  // no field: the rest is what it is
            at = body;
            if (found_) break;
        }
        found_.reset();
    }

    // ---- boundaries ----

    std::optional<BoundaryLine> boundary_in(std::string_view line) const noexcept {
        const std::string_view rest = line.substr(2);
        for (std::size_t i = open_.size(); i-- > 0;) {
            const OpenPart& one = open_[i];
            if (!one.separates || !rest.starts_with(one.boundary)) continue;
            std::string_view behind = rest.substr(one.boundary.size());
            const bool last = behind.starts_with("--");
            if (last) behind.remove_prefix(2);
            if (behind.find_first_not_of(" \t\r") == npos) return BoundaryLine{i, last};
        }
        return std::nullopt;
    }

    /// @returns where the line begins that is one; sets found_
    std::size_t find_boundary(std::size_t at) {
        if (found_) return at;  // the headers ended with it
        if (separating_ == 0) return text_.size();
        while (at < text_.size()) {
            const std::size_t newline = line_end(at);
            if (newline - at >= 3 && text_[at] == '-' && text_[at + 1] == '-') {
                found_ = boundary_in(text_.substr(at, newline - at));
                if (found_) return at;
            }
            at = newline + 1;
        }
        return text_.size();
    }

    /// @returns where to go on
    std::size_t cross(std::size_t at, bool& in_header) {
        const BoundaryLine line = *std::exchange(found_, std::nullopt);
        // The line end before it belongs to it.
        std::size_t content_end = at;
        if (content_end > 0 && text_[content_end - 1] == '\n') --content_end;
        if (content_end > 0 && content_end < at && text_[content_end - 1] == '\r') --content_end;
        close_down_to(line.open, content_end);
        OpenPart& open = open_.back();
        MimeNode& multipart = tree_.nodes[open.node];
        std::size_t after = next_line(at);
        // Two such lines with nothing between them are one: some senders repeat them.
        while (!line.last && repeats(after, line.open)) after = next_line(after);
        if (multipart.first_child == k_no_node) multipart.preamble_end = std::max(multipart.body, content_end);
        in_header = false;
        if (line.last) {
            open.separates = false;
            --separating_;
            multipart.epilogue_begin = after;
            return after;
        }
        if (tree_.nodes.size() >= limits_.parts) {
            note(MailDefectKind::too_many_parts, at);
            open.separates = false;
            --separating_;
            multipart.epilogue_begin = at;
            return after;
        }
        begin_part(open.node, after);
        in_header = true;
        return after;
    }

    bool repeats(std::size_t at, std::size_t open) const noexcept {
        const std::string_view line = text_.substr(at, line_end(at) - at);
        if (!line.starts_with("--")) return false;
        const auto found = boundary_in(line);
        return found && found->open == open && !found->last;
    }

    void close_down_to(std::size_t index, std::size_t end) {
        while (open_.size() > index + 1) {
            close_last(end);
            open_.pop_back();
        }
    }

    void close_last(std::size_t end) {
        OpenPart& open = open_.back();
        MimeNode& part = tree_.nodes[open.node];
        part.end = std::max(part.body, end);
        if (part.kind != MimeKind::multipart) return;
        if (part.first_child == k_no_node) {
            part.kind = MimeKind::leaf;
            note(MailDefectKind::boundary_not_found, part.begin);
        } else if (open.separates) {
            note(MailDefectKind::boundary_not_closed, part.begin);
        }
        if (part.epilogue_begin == 0) part.epilogue_begin = part.end;
        part.epilogue_begin = std::min(part.epilogue_begin, part.end);
        if (open.separates) --separating_;
        open.separates = false;
    }

    MimeTree& tree_;
    const std::string_view text_;
    const MailLimits& limits_;
    std::vector<OpenPart> open_;
    std::size_t separating_{0};  // how many of them
    std::optional<BoundaryLine> found_;
};

}  // namespace

const MailHeader* MimeTree::field(const MimeNode& node, std::string_view name) const noexcept {
    for (std::size_t i = 0; i < node.field_count; ++i) {
        const MailHeader& one = fields[node.first_field + i];
        if (one.name.size() == name.size() && text::iequals(one.name, name)) return &one;
    }
    return nullptr;
}

void scan(MimeTree& tree, const MailLimits& limits) { Scan{tree, limits}.run(); }

}  // namespace qconn::mail
