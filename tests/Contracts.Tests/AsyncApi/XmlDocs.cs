using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Shop.Contracts.Tests.AsyncApi;

/// <summary>The documentation comments of Contracts, as plain text.</summary>
internal sealed partial class XmlDocs
{
    private readonly Dictionary<string, XElement> _members;

    private XmlDocs(Dictionary<string, XElement> members) => _members = members;

    public static XmlDocs OfContracts()
    {
        var document = XDocument.Load(Path.ChangeExtension(typeof(Topics).Assembly.Location, ".xml"));
        return new(document.Descendants("member").ToDictionary(member => member.Attribute("name")!.Value));
    }

    public string? OfType(Type type) => Text(_members.GetValueOrDefault($"T:{type.FullName}")?.Element("summary"));

    public string? OfTopic(string field) => Text(_members.GetValueOrDefault($"F:{typeof(Topics).FullName}.{field}")?.Element("summary"));

    /// <summary>A record's parameter: the compiler puts those with the type's other comments.</summary>
    public string? OfParameter(Type type, string name) => Text(_members.GetValueOrDefault($"T:{type.FullName}")?.Elements("param")
        .FirstOrDefault(parameter => parameter.Attribute("name")!.Value == name));

    private static string? Text(XElement? element) => element is null ? null : Spaces().Replace(string.Concat(element.Nodes().Select(Text)), " ").Trim();

    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" } see => see.Attribute("cref")?.Value.Split('.')[^1] ?? "",
        XElement element => element.Value,
        _ => "",
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
