#include "adapters/redis/redis_cluster.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "adapters/loop/event_loop.hpp"
#include "adapters/redis/reply_reader.hpp"
#include "adapters/redis/slot_map.hpp"

namespace roombus::redis {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds map_limit{1'000};       // for one node to tell its map
constexpr milliseconds map_interval{50};       // between two readings of the map
constexpr std::size_t max_trouble = 500;       // bytes of a text that names several nodes
constexpr std::size_t max_connections = 1024;  // masters and former masters

class cluster final : public nodes {
 public:
  cluster(std::vector<node_address> seeds, connection_options options, connection_environment env)
      : seeds_(std::move(seeds)), options_(std::move(options)), env_(env) {
    options_.hold = false;  // a node may be gone for good; requests look for another
    options_.database = 0;  // clusters have only this one
    refresh();
  }

  connection* for_slot(std::uint16_t slot) override {
    const node_address* address = map_.find(slot);
    if (address != nullptr) return node(*address);
    suspect();
    return nullptr;
  }

  connection* at(const std::string& address, const connection& asked) override {
    const auto parsed = resolved(address, asked);
    return parsed ? node(*parsed) : nullptr;
  }

  void moved(std::uint16_t slot, const std::string& address, const connection& asked) override {
    if (auto parsed = resolved(address, asked)) map_.set(slot, std::move(*parsed));
    suspect();
  }

  void suspect() override {
    if (refreshing_) {
      again_ = true;
    } else {
      refresh();
    }
  }

  [[nodiscard]] bool ready() const override {
    return std::any_of(nodes_.begin(), nodes_.end(), [](const auto& n) { return n.second->ready(); });
  }

  [[nodiscard]] std::string trouble() const override {
    if (ready()) return map_.empty() ? no_map_ : "";
    std::string all;
    for (const auto& [address, n] : nodes_) {
      if (n->trouble().empty()) continue;
      if (!all.empty()) all += "; ";
      all += address.str() + ": " + n->trouble();
      if (all.size() > max_trouble) break;
    }
    return all;
  }

 private:
  /// A node that does not know its own address names only the port.
  static std::optional<node_address> resolved(const std::string& address, const connection& asked) {
    auto parsed = node_address::parse(address);
    if (parsed && parsed->host.empty()) parsed->host = asked.address().host;
    return parsed;
  }

  connection* node(const node_address& address) {
    auto it = nodes_.find(address);
    if (it != nodes_.end()) return it->second.get();
    if (nodes_.size() >= max_connections) return nullptr;
    connection_options options = options_;
    options.address = address;
    return nodes_.emplace(address, std::make_unique<connection>(std::move(options), env_)).first->second.get();
  }

  /// Asks one node after the other, the connected ones first, until one tells its map.
  void refresh() {
    refreshing_ = true;
    again_ = false;
    std::vector<node_address> candidates;
    const auto add = [&candidates](const node_address& address) {
      if (std::find(candidates.begin(), candidates.end(), address) == candidates.end()) candidates.push_back(address);
    };
    for (const auto& [address, n] : nodes_) {
      if (n->ready()) add(address);
    }
    // not always the same one first: it may be the one that is cut off from the others
    if (candidates.size() > 1) {
      std::rotate(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(turn_++ % candidates.size()),
                  candidates.end());
    }
    for (const node_address& seed : seeds_)
      add(seed);
    for (const node_address& master : map_.masters())
      add(master);
    ask(std::move(candidates), 0);
  }

  void ask(std::vector<node_address> candidates, std::size_t i) {
    connection* asked = i < candidates.size() ? node(candidates[i]) : nullptr;
    if (asked == nullptr) return rest();
    connection::request r;
    append_command(r.bytes, {"CLUSTER", "SLOTS"});
    r.deadline_ms = env_.time.steady_ms() + map_limit.count();
    asked->send(std::move(r),
                [this, alive = std::weak_ptr<int>(alive_), candidates = std::move(candidates), i](outcome out) mutable {
                  if (alive.expired()) return;
                  std::optional<slot_map> map;
                  if (out.result == outcome::kind::answered) map = slot_map::parse(out.answer, candidates[i]);
                  if (!map && out.answer.is_error()) no_map_ = candidates[i].str() + ": " + out.answer.text;
                  if (!map) return ask(std::move(candidates), i + 1);
                  adopt(std::move(*map));
                  rest();
                });
  }

  void adopt(slot_map map) {
    map_ = std::move(map);
    // connections of former masters end when nothing is under way on them; a seed's is made again when needed
    const std::set<node_address> masters = map_.masters();
    for (auto it = nodes_.begin(); it != nodes_.end();) {
      const bool used = masters.contains(it->first) || it->second->pending() > 0;
      if (used) {
        ++it;
      } else {
        unused_.push_back(std::move(it->second));
        it = nodes_.erase(it);
      }
    }
    // later: the one that answered is among those whose handler runs now
    env_.loop.post(
        [unused = std::make_shared<std::vector<std::unique_ptr<connection>>>(std::move(unused_))] { unused->clear(); });
    unused_.clear();
  }

  void rest() {
    pause_ = env_.loop.after(map_interval, [this] {
      refreshing_ = false;
      if (again_ || map_.empty()) refresh();
    });
  }

  std::vector<node_address> seeds_;
  connection_options options_;
  connection_environment env_;
  slot_map map_;
  std::string no_map_;  // what a node said instead of its map
  std::map<node_address, std::unique_ptr<connection>> nodes_;
  std::vector<std::unique_ptr<connection>> unused_;
  bool refreshing_ = false;
  bool again_ = false;
  std::size_t turn_ = 0;
  timer_handle pause_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // handlers of connections may come later than our end
};

}  // namespace

std::unique_ptr<nodes> make_cluster(std::vector<node_address> seeds, connection_options options,
                                    connection_environment env) {
  return std::make_unique<cluster>(std::move(seeds), std::move(options), env);
}

}  // namespace roombus::redis
