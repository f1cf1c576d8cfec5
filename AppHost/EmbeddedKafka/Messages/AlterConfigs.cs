namespace Shop.KafkaBroker;

/// <summary>AlterConfigs (33): replaces all settings of topics.</summary>
internal static class AlterConfigs
{
    public static void Handle(Request request)
    {
        var resources = request.In.Array(7, static r => (Type: (ConfigResourceType)r.Int8(), Name: r.String(),
            Values: r.Array(4, static r => (Name: r.String(), Value: r.NullableString()))));
        var validateOnly = request.In.Boolean();
        request.Out.Int32(0); // throttle time
        request.Out.Array(resources, (w, resource) =>
            IncrementalAlterConfigs.Write(w, request.Broker, resource.Type, resource.Name, validateOnly, (_, values) =>
            {
                values.Clear();
                foreach (var (name, value) in resource.Values)
                    values[name] = value ?? "";
            }));
    }
}
