// SPDX-License-Identifier: Apache-2.0
#include <qconn/mail/parsed_mail.hpp>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "mail/charset.hpp"
#include "mail/mime_decoding.hpp"
#include "mail/mime_fields.hpp"
#include "mail/mime_tree.hpp"

namespace qconn {
namespace {

using mail::k_no_node;
using mail::MimeKind;
using mail::MimeNode;

constexpr std::array<std::string_view, 21> k_defect_names{
    "no_header_end",   "bad_header",       "header_limit",      "no_boundary",     "boundary_not_found", "boundary_not_closed", "too_deep",
    "too_many_parts",  "bad_content_type", "encoded_multipart", "encoded_message", "unknown_encoding",   "base64_characters",   "base64_length",
    "base64_trailing", "quoted_printable", "uuencode",          "charset_unknown", "charset_guessed",    "charset_invalid",     "envelope_line",
};

std::string parameter_among(const mail::Parameters& all, std::string_view name) {
    for (const auto& [known, value] : all)
        if (known == name) return value;
    return {};
}

std::string decoded_body(const MimeNode& node, std::string_view raw, std::size_t offset, std::vector<MailDefect>* defects) {
    if (!node.encoded || node.kind == MimeKind::multipart) return std::string{raw};
    mail::DecodingProblems problems;
    const auto note = [&](std::size_t where, MailDefectKind kind) {
        if (where != npos && defects != nullptr) defects->push_back({kind, offset + where});
    };
    std::string out;
    if (node.encoding == "base64") {
        out = mail::decode_base64(raw, problems);
        note(problems.strange, MailDefectKind::base64_characters);
        note(problems.length, MailDefectKind::base64_length);
        note(problems.trailing, MailDefectKind::base64_trailing);
    } else if (node.encoding == "quoted-printable") {
        out = mail::decode_quoted_printable(raw, false, problems);
        note(problems.strange, MailDefectKind::quoted_printable);
    } else {
        out = mail::decode_uuencode(raw, problems);
        note(std::min(problems.strange, problems.length), MailDefectKind::uuencode);
    }
    return out;
}

/// The part of that type that a reader would show.
std::optional<MailPart> shown_part(const MailPart& part, std::string_view type) {
    if (part.is_leaf()) {
        if (part.content_type() != type || part.disposition() == "attachment") return std::nullopt;
        return part;
    }
    if (!part.is_multipart()) return std::nullopt;
    std::vector<MailPart> children = part.children();
    const std::string_view kind = part.content_type();
    if (kind == "multipart/related") {
        const std::string start = part.parameter("start").value_or("");
        if (start.size() > 2) {
            for (const MailPart& one : children)
                if (one.content_id() == start.substr(1, start.size() - 2)) return shown_part(one, type);
        }
        return children.empty() ? std::nullopt : shown_part(children.front(), type);
    }
    if (kind == "multipart/alternative") std::reverse(children.begin(), children.end());
    for (const MailPart& one : children)
        if (auto found = shown_part(one, type)) return found;
    return std::nullopt;
}

void gather_attachments(const MailPart& part, std::size_t text, std::size_t html, bool alternative, std::vector<MailPart>& all) {
    if (part.is_multipart()) {
        const bool below = part.content_type() == "multipart/alternative";
        for (const MailPart& one : part.children()) gather_attachments(one, text, html, below, all);
        return;
    }
    if (part.offset() == text || part.offset() == html) return;
    if (alternative && part.is_text() && !part.is_attachment()) return;
    all.push_back(part);
}

}  // namespace

std::string_view to_string(MailDefectKind kind) noexcept {
    const auto index = static_cast<std::size_t>(kind);
    return index < k_defect_names.size() ? k_defect_names[index] : "unknown";
}

// ---- headers ----

std::string MailHeader::decoded() const { return mail::decode_words(mail::unfolded(raw)); }
std::vector<MailAddress> MailHeader::addresses() const { return mail::addresses_of(raw); }
std::optional<MailDate> MailHeader::date() const { return mail::date_of(raw); }

// ---- parts ----

std::vector<MailHeader> MailPart::headers() const {
    const MimeNode& node = tree_->nodes[index_];
    const auto begin = tree_->fields.begin() + static_cast<std::ptrdiff_t>(node.first_field);
    return {begin, begin + static_cast<std::ptrdiff_t>(node.field_count)};
}

MailHeader MailPart::header(std::string_view name) const noexcept {
    const MailHeader* const found = tree_->field(tree_->nodes[index_], name);
    return found != nullptr ? *found : MailHeader{};
}

bool MailPart::has_header(std::string_view name) const noexcept { return tree_->field(tree_->nodes[index_], name) != nullptr; }

std::vector<MailHeader> MailPart::headers_of(std::string_view name) const {
    std::vector<MailHeader> all = headers();
    std::erase_if(all, [&](const MailHeader& one) { return !text::iequals(one.name, name); });
    return all;
}

std::string_view MailPart::content_type() const noexcept { return tree_->nodes[index_].type; }
std::string_view MailPart::transfer_encoding() const noexcept { return tree_->nodes[index_].encoding; }

std::vector<std::pair<std::string, std::string>> MailPart::parameters() const { return mail::parameters_of(header("content-type").raw); }

std::optional<std::string> MailPart::parameter(std::string_view name) const {
    const std::string lower = text::to_lower(name);
    for (auto& [known, value] : parameters())
        if (known == lower) return std::move(value);
    return std::nullopt;
}

std::string MailPart::charset() const { return text::to_lower(parameter("charset").value_or("")); }
std::string MailPart::disposition() const { return mail::head_of(header("content-disposition").raw); }

std::string MailPart::file_name() const {
    std::string name = parameter_among(mail::parameters_of(header("content-disposition").raw), "filename");
    if (name.empty()) name = parameter("name").value_or("");
    return mail::base_name_of(std::move(name));
}

std::string MailPart::content_id() const {
    auto ids = mail::message_ids_of(header("content-id").raw);
    if (!ids.empty()) return std::move(ids.front());
    return std::string{text::trim(header("content-id").raw)};
}

bool MailPart::is_multipart() const noexcept { return tree_->nodes[index_].kind == MimeKind::multipart; }
bool MailPart::is_message() const noexcept { return tree_->nodes[index_].kind == MimeKind::message; }
bool MailPart::is_leaf() const noexcept { return !is_multipart() && !is_message(); }

bool MailPart::is_attachment() const {
    if (is_multipart()) return false;
    return disposition() == "attachment" || !file_name().empty() || !is_text();
}

std::vector<MailPart> MailPart::children() const {
    std::vector<MailPart> all;
    for (std::size_t at = tree_->nodes[index_].first_child; at != k_no_node; at = tree_->nodes[at].next) all.push_back(MailPart{*tree_, at});
    return all;
}

std::optional<MailPart> MailPart::parent() const {
    const std::size_t above = tree_->nodes[index_].parent;
    if (above == k_no_node) return std::nullopt;
    return MailPart{*tree_, above};
}

std::size_t MailPart::depth() const noexcept { return tree_->nodes[index_].depth; }
std::size_t MailPart::offset() const noexcept { return tree_->nodes[index_].begin; }

std::string_view MailPart::raw() const noexcept {
    const MimeNode& node = tree_->nodes[index_];
    return std::string_view{tree_->bytes}.substr(node.begin, node.end - node.begin);
}
std::string_view MailPart::raw_body() const noexcept {
    const MimeNode& node = tree_->nodes[index_];
    return std::string_view{tree_->bytes}.substr(node.body, node.end - node.body);
}
std::string_view MailPart::preamble() const noexcept {
    const MimeNode& node = tree_->nodes[index_];
    if (node.kind != MimeKind::multipart) return {};
    return std::string_view{tree_->bytes}.substr(node.body, node.preamble_end - node.body);
}
std::string_view MailPart::epilogue() const noexcept {
    const MimeNode& node = tree_->nodes[index_];
    if (node.kind != MimeKind::multipart) return {};
    return std::string_view{tree_->bytes}.substr(node.epilogue_begin, node.end - node.epilogue_begin);
}

std::string MailPart::body(std::vector<MailDefect>* defects) const {
    const MimeNode& node = tree_->nodes[index_];
    return decoded_body(node, raw_body(), node.body, defects);
}

DecodedText MailPart::text() const {
    DecodedText out;
    const std::string bytes = body(&out.defects);
    mail::CharsetOutcome outcome;
    out.text = mail::to_utf8(bytes, charset(), outcome);
    const std::size_t at = tree_->nodes[index_].body;
    if (outcome.unknown) out.defects.push_back({MailDefectKind::charset_unknown, at});
    if (outcome.guessed) out.defects.push_back({MailDefectKind::charset_guessed, at});
    if (outcome.invalid) out.defects.push_back({MailDefectKind::charset_invalid, at});
    return out;
}

// ---- mails ----

std::string_view ParsedMail::bytes() const noexcept { return tree_->bytes; }
MailPart ParsedMail::root() const noexcept { return MailPart{*tree_, 0}; }

std::vector<MailPart> ParsedMail::parts() const {
    std::vector<MailPart> all;
    all.reserve(tree_->nodes.size());
    for (std::size_t i = 0; i < tree_->nodes.size(); ++i) all.push_back(MailPart{*tree_, i});
    return all;
}

const std::vector<MailDefect>& ParsedMail::defects() const noexcept { return tree_->defects; }

std::string ParsedMail::decoded(std::string_view name) const { return root().header(name).decoded(); }
std::string ParsedMail::subject() const { return decoded("subject"); }
std::vector<MailAddress> ParsedMail::from() const { return root().header("from").addresses(); }
std::vector<MailAddress> ParsedMail::reply_to() const { return root().header("reply-to").addresses(); }
std::vector<MailAddress> ParsedMail::bcc() const { return root().header("bcc").addresses(); }
std::optional<MailDate> ParsedMail::date() const { return root().header("date").date(); }

std::optional<MailAddress> ParsedMail::sender() const {
    auto all = root().header("sender").addresses();
    if (all.empty()) return std::nullopt;
    return std::move(all.front());
}

// These may stand there more than once, although they must not.
std::vector<MailAddress> ParsedMail::to() const {
    std::vector<MailAddress> all;
    for (const MailHeader& one : root().headers_of("to")) {
        auto some = one.addresses();
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}
std::vector<MailAddress> ParsedMail::cc() const {
    std::vector<MailAddress> all;
    for (const MailHeader& one : root().headers_of("cc")) {
        auto some = one.addresses();
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

std::string ParsedMail::message_id() const {
    auto ids = mail::message_ids_of(root().header("message-id").raw);
    if (!ids.empty()) return std::move(ids.front());
    return std::string{text::trim(root().header("message-id").raw)};
}
std::vector<std::string> ParsedMail::in_reply_to() const { return mail::message_ids_of(root().header("in-reply-to").raw); }
std::vector<std::string> ParsedMail::references() const { return mail::message_ids_of(root().header("references").raw); }

std::optional<MailPart> ParsedMail::text_part() const { return shown_part(root(), "text/plain"); }
std::optional<MailPart> ParsedMail::html_part() const { return shown_part(root(), "text/html"); }

std::optional<std::string> ParsedMail::text() const {
    const auto part = text_part();
    if (!part) return std::nullopt;
    return part->text().text;
}
std::optional<std::string> ParsedMail::html() const {
    const auto part = html_part();
    if (!part) return std::nullopt;
    return part->text().text;
}

std::vector<MailPart> ParsedMail::attachments() const {
    const auto text = text_part();
    const auto html = html_part();
    std::vector<MailPart> all;
    gather_attachments(root(), text ? text->offset() : npos, html ? html->offset() : npos, false, all);
    return all;
}

ParsedMail parse_mail(std::string bytes, const MailLimits& limits) {
    auto tree = std::make_shared<mail::MimeTree>();
    tree->bytes = std::move(bytes);
    mail::scan(*tree, limits);
    return ParsedMail{std::move(tree)};
}

}  // namespace qconn
