// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include <qconn/base/wall_time.hpp>

#include "cli/advice.hpp"
#include "cli/causes.hpp"
#include "cli/states.hpp"

namespace qconn::cli {
namespace {

using Lines = std::vector<std::string>;
using WallTime = std::chrono::system_clock::time_point;

constexpr std::string_view k_indent = "       ";

/// "12:31:02Z".
std::string clock_text(WallTime time) { return rfc3339(time).substr(11, 8) + "Z"; }

/// "in 4 s"; "now" for a ping that is under way or waits for its place.
std::string due_text(WallTime next, WallTime now) {
    if (next == WallTime{}) return "-";
    return next <= now ? "now" : "in " + age_text(std::chrono::ceil<std::chrono::seconds>(next - now));
}

class Picture {
public:
    Picture(const Scene& scene, const Output& out, TerminalSize size) : scene_{scene}, out_{out}, size_{size} {}

    Lines draw() {
        const std::size_t rows = std::max<std::size_t>(size_.rows, 2) - 1;
        const bool roomy = rows >= 10;
        Lines foot;
        if (roomy) foot = events(std::max<std::size_t>(size_.rows / 4, 3));
        if (!scene_.foot.empty() && rows >= 3) foot.push_back(row({{scene_.foot, Style::dim}}));

        lines_.push_back(heading());
        if (roomy) lines_.emplace_back();
        const std::size_t taken = lines_.size() + foot.size();
        body(rows > taken ? rows - taken : 0);
        lines_.insert(lines_.end(), foot.begin(), foot.end());
        if (lines_.size() > rows) lines_.resize(rows);
        return std::move(lines_);
    }

private:
    std::string row(Table::Row cells, std::string_view indent = {}) const {
        Table table;
        table.add(std::move(cells));
        indent = indent.substr(0, std::max<std::size_t>(size_.columns, 1) - 1);
        return std::string{indent} + table.lines(out_, size_.columns - indent.size()).front();
    }

    std::string heading() const {
        const std::string counts = counts_text(scene_.statuses, Output{});
        const std::string title = "qconn monitor";
        const std::string text = title + "  " + counts + "  " + clock_text(scene_.now);
        if (width(text) > size_.columns) return row({{counts, Style::bold}});
        return out_.paint(Style::bold, title) + "  " + counts_text(scene_.statuses, out_) + "  " + out_.paint(Style::dim, clock_text(scene_.now));
    }

    Lines events(std::size_t most) const {
        Lines lines;
        if (scene_.latest.empty()) return lines;
        lines.emplace_back();
        Table table;
        for (std::size_t i = scene_.latest.size() - std::min(most, scene_.latest.size()); i < scene_.latest.size(); ++i) {
            const Event& event = scene_.latest[i];
            table.add({{clock_text(event.time), Style::dim}, {std::string{to_string(event.kind)}, style_of(event.kind)}, event.name, event.error});
        }
        for (std::string& line : table.lines(out_, size_.columns)) lines.push_back(std::move(line));
        return lines;
    }

    /// What is down gets all the room but for what the rest needs most.
    void body(std::size_t room) {
        const auto groups = groups_of(scene_.outages, scene_.statuses);
        const auto rest = others();
        const auto urgent = static_cast<std::size_t>(std::count_if(rest.begin(), rest.end(), [](const ConnectionStatus* one) {
            return one->state == ConnectionState::failing || one->state == ConnectionState::invalid;
        }));
        if (!groups.empty()) {
            const std::size_t kept = rest.empty() ? 0 : std::min(room / 3, urgent + 3);
            const std::size_t before = lines_.size();
            causes(groups, room - kept);
            room -= std::min(room, lines_.size() - before);
            if (room > 4 && !rest.empty()) {
                lines_.emplace_back();
                --room;
            }
        }
        connections(rest, room);
    }

    // ---- what is down ----------------------------------------------------------------------------------------------------------------------

    void causes(const std::vector<OutageGroup>& groups, std::size_t room) {
        if (room < 2) return;
        room -= 1;  // the head
        const std::size_t shown = groups.size() <= room ? groups.size() : room - 1;
        const std::size_t left = room - shown - (shown < groups.size() ? 1 : 0);
        const auto details = share(shown, left);

        Table::Row head{"DOWN", "CAUSE", "FOR", "NEXT PING", "WHY"};
        if (dated()) head.insert(head.begin() + 3, "SINCE");
        Table table{std::move(head)};
        for (std::size_t i = 0; i < shown; ++i) table.add(cause_row(groups[i], details[i] == 0));
        Lines heads = table.lines(out_, size_.columns);
        lines_.push_back(std::move(heads[0]));
        for (std::size_t i = 0; i < shown; ++i) {
            lines_.push_back(std::move(heads[i + 1]));
            const Lines more = detail(groups[i], details[i]);
            lines_.insert(lines_.end(), more.begin(), more.end());
        }
        if (shown == groups.size()) return;
        std::size_t connections = 0;
        for (std::size_t i = shown; i < groups.size(); ++i) connections += groups[i].names.size();
        lines_.push_back(row({{"... and " + counted(groups.size() - shown, "cause") + " more, " + counted(connections, "connection"), Style::dim}}));
    }

    /// Lines of detail for each: first the names for all, then the words of the failure and what to do for as many as there is room for.
    static std::vector<std::size_t> share(std::size_t causes, std::size_t room) {
        std::vector<std::size_t> details(causes, 0);
        for (const std::size_t more : {std::size_t{1}, std::size_t{2}}) {
            for (std::size_t& one : details) {
                if (room < more) return details;
                one += more;
                room -= more;
            }
        }
        return details;
    }

    Table::Row cause_row(const OutageGroup& group, bool alone) const {
        const Outage& outage = group.outage;
        WallTime next{};
        for (const std::string& name : group.names) {
            const WallTime due = status_of(name).next;
            if (due != WallTime{} && (next == WallTime{} || due < next)) next = due;
        }
        std::string why = reason_text(outage.phase, outage.reason);
        const std::size_t quiet = those_in(group, quiet_).size();
        const bool all_quiet = quiet == group.names.size();
        if (all_quiet)
            why += "; silenced";
        else if (quiet > 0)
            why += "; " + std::to_string(quiet) + " silenced";
        if (const Alert* alert = seen_to(group, scene_.alerts)) why += "; seen to by " + alert->acknowledged_by;
        if (alone) why = std::string{to_string(outage.reason)} + ": " + names_within(group.names, size_.columns);
        Table::Row row{{std::to_string(group.names.size()), all_quiet ? Style::dim : Style::bad},
                       {fault_text(outage), Style::bold},
                       age_text(scene_.now - outage.since),
                       due_text(next, scene_.now),
                       std::move(why)};
        if (dated()) row.insert(row.begin() + 3, clock_text(outage.since));
        return row;
    }

    /// There is room for the time beside the age.
    bool dated() const { return size_.columns >= 100; }

    Lines detail(const OutageGroup& group, std::size_t lines) const {
        Lines out;
        const std::size_t columns = size_.columns > k_indent.size() ? size_.columns - k_indent.size() : 1;
        if (lines >= 1) out.push_back(row({names_within(group.names, columns)}, k_indent));
        if (lines < 3) return out;
        out.push_back(row({group.outage.error}, k_indent));
        out.push_back(row({{"do: " + std::string{advice(group.outage.phase, group.outage.reason, group.outage.error)}, Style::warn}}, k_indent));
        return out;
    }

    const ConnectionStatus& status_of(const std::string& name) const {
        if (by_name_.empty())
            for (const ConnectionStatus& one : scene_.statuses) by_name_.emplace(one.name, &one);
        return *by_name_.at(name);
    }

    // ---- the rest --------------------------------------------------------------------------------------------------------------------------

    std::vector<const ConnectionStatus*> others() const {
        static constexpr std::array k_order{ConnectionState::failing, ConnectionState::invalid, ConnectionState::unknown, ConnectionState::up,
                                            ConnectionState::disabled};
        std::vector<const ConnectionStatus*> others;
        for (const ConnectionState state : k_order) {
            const std::size_t from = others.size();
            for (const ConnectionStatus& status : scene_.statuses)
                if (status.state == state) others.push_back(&status);
            if (state == ConnectionState::up)
                std::stable_sort(others.begin() + static_cast<std::ptrdiff_t>(from), others.end(),
                                 [](const ConnectionStatus* a, const ConnectionStatus* b) { return a->latency > b->latency; });
        }
        return others;
    }

    void connections(const std::vector<const ConnectionStatus*>& all, std::size_t room) {
        if (all.empty() || room < 2) return;
        room -= 1;  // the head
        const std::size_t shown = all.size() <= room ? all.size() : room - 1;
        Table table{{"NAME", "STATE", "FOR", "LATENCY", "NEXT PING", "WHY"}};
        for (std::size_t i = 0; i < shown; ++i) {
            const ConnectionStatus& status = *all[i];
            const std::string why = reason_text(status.phase, status.reason);
            table.add({status.name,
                       {std::string{to_string(status.state)}, style_of(status.state)},
                       age_text(scene_.now - status.since),
                       status.latency.count() > 0 ? duration_text(status.latency) : "-",
                       due_text(status.next, scene_.now),
                       status.error.empty() || why.empty() ? status.error : why + "  " + status.error});
        }
        for (std::string& line : table.lines(out_, size_.columns)) lines_.push_back(std::move(line));
        if (shown < all.size()) lines_.push_back(row({{"... and " + std::to_string(all.size() - shown) + " more", Style::dim}}));
    }

    const Scene& scene_;
    const Output& out_;
    const TerminalSize size_;
    const NameSet quiet_{silenced(scene_.statuses)};
    Lines lines_;
    mutable std::map<std::string_view, const ConnectionStatus*> by_name_;
};

}  // namespace

std::vector<std::string> draw(const Scene& scene, const Output& out, TerminalSize size) { return Picture{scene, out, size}.draw(); }

}  // namespace qconn::cli
