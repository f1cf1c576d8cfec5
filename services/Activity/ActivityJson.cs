using System.Text.Json.Serialization;
using Shop.Activity.CollectingActivity;
using Shop.Activity.CountingWindows;
using Shop.Activity.IndexingLogs;
using Shop.Activity.ListingAlarms;
using Shop.Activity.ReadingEvents;
using Shop.Activity.RebuildingFeed;
using Shop.ServiceDefaults;

namespace Shop.Activity;

/// <summary>Source-generated JSON of the service's API.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Page<FeedEvent>))]
[JsonSerializable(typeof(System.Text.Json.JsonElement))]
[JsonSerializable(typeof(CollectedActivity))]
[JsonSerializable(typeof(ActivitySummary))]
[JsonSerializable(typeof(IReadOnlyList<ActivitySummary>))]
[JsonSerializable(typeof(Page<LogView>))]
[JsonSerializable(typeof(Page<AlarmView>))]
[JsonSerializable(typeof(RebuildRequest))]
[JsonSerializable(typeof(RebuildView))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(int[]))]
internal sealed partial class ActivityJson : JsonSerializerContext;
