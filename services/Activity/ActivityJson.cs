using System.Text.Json.Serialization;
using Shop.Activity.ReadingEvents;
using Shop.ServiceDefaults;

namespace Shop.Activity;

/// <summary>Source-generated JSON of the service's API.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<TimelineEvent>))]
[JsonSerializable(typeof(Page<FeedEvent>))]
internal sealed partial class ActivityJson : JsonSerializerContext;
