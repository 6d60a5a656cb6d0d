// SPDX-License-Identifier: Apache-2.0
#include "sinks/mail_text.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "monitor/utc.hpp"
#include "sinks/event_text.hpp"

namespace qconn::sinks {
namespace {

constexpr std::size_t k_subject = 150;
constexpr std::size_t k_line = 600;
constexpr std::size_t k_members = 100;

/// Fit for a line of a mail: what peers say may be anything.
std::string line_of(std::string_view text, std::size_t most) { return text::printable(text::shorten(text, most)); }

/// "3 alerts, 1 cleared: shop-api, files"
std::string subject_of(const std::vector<monitor::Backlog::Item>& events) {
    std::size_t alerts = 0, cleared = 0, others = 0;
    std::vector<std::string> names;
    for (const auto& event : events) {
        (event->kind == EventKind::alert ? alerts : event->kind == EventKind::alert_cleared ? cleared : others) += 1;
        if (std::find(names.begin(), names.end(), event->name) == names.end() && names.size() < 10) names.push_back(event->name);
    }
    if (events.size() == 1) return sentence_of(*events.front());
    std::string out;
    const auto count = [&out](std::size_t n, std::string_view one, std::string_view several) {
        if (n == 0) return;
        if (!out.empty()) out += ", ";
        out.append(std::to_string(n)).append(" ").append(n == 1 ? one : several);
    };
    count(alerts, "alert", "alerts");
    count(cleared, "cleared", "cleared");
    count(others, "event", "events");
    return out + ": " + text::join(names, ", ");
}

}  // namespace

MailMessage mail_of(const std::vector<monitor::Backlog::Item>& events, std::size_t most, const std::string& subject_prefix) {
    MailMessage mail;
    mail.subject = subject_prefix;
    if (!mail.subject.empty()) mail.subject += ' ';
    mail.subject += line_of(subject_of(events), k_subject);
    std::uint64_t skipped = 0;
    std::size_t told = 0;
    for (const auto& event : events) {
        skipped += event->skipped;
        if (told++ >= most) continue;
        mail.text += monitor::utc(event->time) + "  " + line_of(sentence_of(*event), k_line) + "\n";
        std::size_t members = 0;
        for (const std::string& name : event->members) {
            if (members++ < k_members) mail.text += "    " + line_of(name, 200) + "\n";
        }
        if (members > k_members) mail.text += "    and " + std::to_string(members - k_members) + " more\n";
    }
    if (events.size() > most) mail.text += "and " + std::to_string(events.size() - most) + " more events\n";
    if (skipped > 0) mail.text += std::to_string(skipped) + " events that cancel out were left out\n";
    mail.headers = {{"Auto-Submitted", "auto-generated"}};  // RFC 3834: nobody's holiday answers it
    return mail;
}

}  // namespace qconn::sinks
